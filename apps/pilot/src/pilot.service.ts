import { readFile } from 'node:fs/promises';
import { formatWorkloadId } from '@seine/ca';
import { type MeshConfig, defaultMeshConfig } from '@seine/model';
import {
  type ChangeEvent,
  compileViews,
  MeshFeed,
  type MeshVersion,
  PilotSource,
  viewsToJson,
  type CompiledProxy,
} from '@seine/pipeline';
import type { Diagnostic } from '@seine/diagnostics';
import type { KeySourceStatus } from '@seine/jwks-fetch';
import type { Change, Store } from '@seine/ports';
import { type ModuleStatus, WasmModules } from '@seine/wasm-fetch';
import { XdsServer, type XdsServerEvents } from '@seine/xds-server';
import { TlsServer } from '@seine/identity';
import { parseAddress } from './config.js';
import { type JwksSettings, jwksKeys, jwksSettings } from './jwks-settings.js';
import { MeshFetches } from './mesh-fetches.js';
import { type SyncReport, syncReport } from './proxy-sync.js';
import { authenticateStreams, type SecureXdsOptions } from './secure-xds.js';

export interface PilotEvents extends XdsServerEvents {
  /** An object of the mesh log has changed. */
  changed?(key: Change['key'], event: ChangeEvent): void;
  /** A mesh is made of what changed. @param waitedMs since the first of these changes @param tookMs to make the mesh */
  built?(waitedMs: number, tookMs: number): void;
  /** A TLS handshake failed. @param peer the client's address */
  handshakeFailed?(peer: string, error: Error): void;
}

export interface PilotDependencies {
  readonly store: Store;
  /** Plain-text ADS, `host:port`; undefined = none. */
  readonly xds?: string | undefined;
  readonly secureXds?: SecureXdsOptions | undefined;
  /** Spread over which open streams are closed at the end, ms. */
  readonly drainMs: number;
  readonly events?: PilotEvents;
  /** After each new mesh was handed to all streams; `milliseconds` is how long that took. */
  readonly pushed?: (version: MeshVersion, milliseconds: number) => void;
  readonly meshConfig?: MeshConfig;
  /** How keys of those who issue tokens are fetched; default Istio's way. */
  readonly jwks?: JwksSettings;
  /** A request to somebody who issues tokens has ended. */
  readonly keysFetched?: (ok: boolean) => void;
  /** Is told of bugs and failures that no caller waits for; what was in force stays so. */
  readonly onError: (error: unknown) => void;
}

/** Runs a function later. @returns what forgets it */
function later(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/** Between two tries to read a store that failed. */
const retryMs = 1000;

/** Pilot without its shell: follows the mesh log and serves ADS from it. */
export class PilotService {
  readonly #source = new PilotSource();
  readonly #server: XdsServer;
  readonly #feed: MeshFeed;
  readonly #fetches: MeshFetches;
  readonly #tls: TlsServer | undefined;
  readonly #ends: (() => void)[] = [];
  #port = 0;
  #securePort = 0;
  /** Tells how long the mesh took that is being made of changes. */
  #built: (() => void) | undefined;
  /** Those that wait for proxies to catch up. */
  readonly #waiting = new Set<() => void>();

  constructor(private readonly dependencies: PilotDependencies) {
    const { store, events, meshConfig, onError, secureXds, jwks = jwksSettings({}, {}) } = dependencies;
    const woken: XdsServerEvents = {
      ...events,
      acked: (typeUrl, milliseconds) => {
        events?.acked?.(typeUrl, milliseconds);
        this.#wake();
      },
      failed: (proxy, error) => {
        events?.failed?.(proxy, error);
        onError(error);
      },
    };
    this.#fetches = new MeshFetches({
      modules: (onChange) => new WasmModules({ fetch: globalThis.fetch, readFile, later, onChange }),
      keys: (onChange) => jwksKeys(jwks, { later, onChange, fetched: dependencies.keysFetched }),
      serve: (version) => this.#serve(version),
      later,
    });
    this.#server = new XdsServer({
      source: this.#source,
      now: Date.now,
      events: woken,
      ...(secureXds && { authenticate: authenticateStreams(secureXds, Date.now) }),
    });
    this.#tls = secureXds && this.#tlsServer(secureXds);
    this.#feed = new MeshFeed({
      store,
      config: meshConfig ?? defaultMeshConfig,
      schedule: (build) => this.#schedule(build),
      later: (run) => setTimeout(run, retryMs),
      onError,
      onChange: (key, event) => events?.changed?.(key, event),
      onMesh: (version) => {
        this.#built?.();
        this.#fetches.take(version);
      },
    });
  }

  #schedule(build: () => void): void {
    const changedAt = performance.now();
    setImmediate(() => {
      const startedAt = performance.now();
      this.#built = () => this.dependencies.events?.built?.(startedAt - changedAt, performance.now() - startedAt);
      build();
      this.#built = undefined;
    });
  }

  #serve(version: MeshVersion): void {
    const started = performance.now();
    this.#source.update(version);
    this.#server.notify();
    this.dependencies.pushed?.(version, performance.now() - started);
    this.#wake();
  }

  /** Opens the port: from now on a proxy gets an answer, even if it is to come back later. */
  async listen(): Promise<void> {
    const { xds, secureXds } = this.dependencies;
    if (xds !== undefined) {
      const { host, port } = parseAddress(xds);
      this.#port = await this.#server.listen(host, port);
    }
    if (secureXds && this.#tls) {
      const { host, port } = parseAddress(secureXds.listen);
      this.#securePort = await this.#tls.listen(host, port);
    }
  }

  #tlsServer({ identity, denied }: SecureXdsOptions): TlsServer {
    const end = denied?.onChange(() =>
      this.#server.endStreamsOf((peer) => denied.isDenied(formatWorkloadId(peer)), 'the client’s identity is revoked'),
    );
    if (end) this.#ends.push(end);
    return new TlsServer({
      identity,
      onConnection: (socket, certificates) => this.#server.accept(socket, certificates),
      onHandshakeError: (peer, error) => this.dependencies.events?.handshakeFailed?.(peer, error),
    });
  }

  /** Serves from when the first whole mesh is in. */
  async follow(): Promise<void> {
    await this.#untilSynced();
    await this.#feed.start();
  }

  async #untilSynced(): Promise<void> {
    const { store } = this.dependencies;
    if (await store.synced()) return;
    await new Promise<void>((resolve) => {
      const stop = store.onSynced(() => {
        stop();
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    this.#feed.stop();
    this.#fetches.stop();
    for (const end of this.#ends) end();
    this.#tls?.close();
    await this.#server.close(this.dependencies.drainMs);
  }

  get ready(): boolean {
    return this.#source.ready();
  }

  /** The port that plain-text ADS is served on (for a listen on port 0). */
  get xdsPort(): number {
    return this.#port;
  }

  /** The port that ADS over mutual TLS is served on. */
  get secureXdsPort(): number {
    return this.#securePort;
  }

  get revision(): number {
    return this.#source.version?.revision ?? 0;
  }

  get streams(): number {
    return this.#server.streams;
  }

  /** What is wrong with the mesh as it is compiled now. */
  diagnostics(): readonly Diagnostic[] {
    return [...this.#source.diagnostics(), ...this.#fetches.diagnostics()];
  }

  /** How many ports of services have no outbound listener of their own at some connected proxy. */
  listenerConflicts(): number {
    return this.#source.listenerConflicts();
  }

  /** How it stands with the WebAssembly modules that resources want. */
  wasmModules(): readonly ModuleStatus[] {
    return this.#fetches.moduleStatus();
  }

  /** How it stands with the keys of those who issue tokens. */
  keySources(): readonly KeySourceStatus[] {
    return this.#fetches.keyStatus();
  }

  /** @param revision what `synced` is about; default the newest */
  sync(revision = this.revision): SyncReport {
    return syncReport(this.#server.status(), this.#source.proxies(), this.revision, revision);
  }

  /**
   * Waits until every connected proxy has accepted a revision, or the time is over.
   * @param timeoutMs at most so long; what the report then says is how it stands
   */
  async waitForSync(revision: number, timeoutMs: number): Promise<SyncReport> {
    const isDone = (): boolean =>
      this.revision >= revision && this.sync(revision).proxies.every((proxy) => proxy.synced);
    if (!isDone()) await this.#until(isDone, timeoutMs);
    return this.sync(revision);
  }

  #until(isDone: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isDone()) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waiting.add(look);
    });
  }

  /** After the stream has dealt with the acknowledgement, not in the middle of it. */
  #wake(): void {
    if (this.#waiting.size > 0) setImmediate(() => [...this.#waiting].forEach((look) => look()));
  }

  /** What a connected proxy should have now, by its id or `name.namespace`; undefined when it is not connected. */
  configOf(name: string): CompiledProxy | undefined {
    const { version } = this.#source;
    const proxy = this.#source.proxies().find((p) => p.id === name || `${p.name}.${p.namespace}` === name);
    return version && proxy ? viewsToJson(compileViews(version.mesh, proxy)) : undefined;
  }
}
