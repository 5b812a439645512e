import type { Duplex } from 'node:stream';
import { GrpcServer, GrpcStatus, type GrpcStream } from '@seine/h2grpc';
import type { ResourceSet } from '@seine/snapshot';
import { type Admission, type Authenticate, awaitAdmission, type PeerIdentity } from './admission.js';
import { Connection, type ConnectionContext } from './connection.js';
import { HoldBack } from './hold-back.js';
import type { Variant } from './response.js';
import type { SnapshotSource } from './snapshot-source.js';
import type { ProxyStatus, ServerStatus } from './status.js';
import type { StreamEvents } from './xds-stream.js';

const sotwPath = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const deltaPath = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

export interface XdsServerLimits {
  /** Largest request, bytes. A delta client that comes back lists all it holds. */
  readonly maxRequestBytes: number;
  /** A client that does not read for so long is disconnected, ms. */
  readonly slowReaderMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

export const defaultLimits: XdsServerLimits = {
  maxRequestBytes: 32 * 1024 * 1024,
  slowReaderMs: 60_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
};

export interface XdsServerEvents extends StreamEvents {
  opened?(variant: Variant): void;
  closed?(variant: Variant): void;
  oversized?(peer: string): void;
  slowReader?(proxy: string): void;
  /** A client was turned away for who it is, or what it says of itself. @param peer its address */
  refused?(peer: string, code: number, reason: string): void;
}

export interface XdsServerOptions {
  readonly source: SnapshotSource;
  /** Default: nobody has to prove anything. */
  readonly authenticate?: Authenticate;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits?: Partial<XdsServerLimits>;
  readonly events?: XdsServerEvents;
}

const nobody: Admission = { identity: undefined };

/** Prunes what is remembered of resources long gone, once in so many changes. */
const pruneEvery = 256;

/**
 * Serves ADS, incremental and state-of-the-world. Sees snapshots only: what a mesh is, it does not know.
 */
export class XdsServer {
  readonly #grpc: GrpcServer;
  readonly #connections = new Set<Connection>();
  readonly #holdBack = new HoldBack();
  readonly #limits: XdsServerLimits;
  #accepting = true;
  #numbers = 0;
  #changes = 0;
  #refreshAll = false;
  readonly #sweep: NodeJS.Timeout;

  constructor(private readonly options: XdsServerOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#grpc = new GrpcServer({
      maxMessageBytes: this.#limits.maxRequestBytes,
      keepaliveMs: this.#limits.keepaliveMs,
      keepaliveTimeoutMs: this.#limits.keepaliveTimeoutMs,
      maxConcurrentStreams: 100,
      onOversized: (stream) => this.options.events?.oversized?.(stream.peer),
    });
    this.#sweep = setInterval(() => this.#dropSlowReaders(), Math.min(5000, this.#limits.slowReaderMs));
    this.#sweep.unref();
    this.#grpc.handle(sotwPath, (stream) => this.#accept(stream, 'sotw'));
    this.#grpc.handle(deltaPath, (stream) => this.#accept(stream, 'delta'));
  }

  /** Listens for plain text. @returns the port in use */
  async listen(host: string, port: number): Promise<number> {
    return this.#grpc.listen(host, port);
  }

  /**
   * Serves a client on a socket on which somebody else has ended TLS.
   * @param certificates what it has shown, DER, the leaf first: for `authenticate` to verify
   */
  accept(socket: Duplex, certificates: readonly Buffer[]): void {
    this.#grpc.accept(socket, certificates);
  }

  /** Ends the streams of identities that may not have them any more. */
  endStreamsOf(isDenied: (identity: PeerIdentity) => boolean, message: string): void {
    for (const connection of [...this.#connections])
      if (connection.identity && isDenied(connection.identity)) connection.end(message, GrpcStatus.UNAUTHENTICATED);
  }

  /** The source has something new: every client is looked at, now. */
  notify(): void {
    for (const connection of this.#connections) connection.refresh();
    if (++this.#changes % pruneEvery === 0) this.#prune();
  }

  get streams(): number {
    return this.#connections.size;
  }

  status(): ServerStatus {
    const proxies = [...this.#connections].map((c) => c.status()).filter((s): s is ProxyStatus => s !== undefined);
    return {
      proxies,
      refusals: this.#holdBack.refusals((typeUrl, name, version) => this.#isWanted(typeUrl, name, version)),
    };
  }

  /** Closes the open streams spread over `drainMs`, new ones are refused; then the port. */
  async close(drainMs: number): Promise<void> {
    this.#accepting = false;
    clearInterval(this.#sweep);
    const open = [...this.#connections];
    await Promise.all(
      open.map(async (connection, i) => {
        await new Promise((resolve) => setTimeout(resolve, (drainMs * (i + Math.random())) / (open.length + 1)));
        connection.end('this replica is going away');
      }),
    );
    this.#grpc.close();
  }

  #accept(stream: GrpcStream, variant: Variant): void {
    if (!this.#accepting || !this.options.source.ready()) {
      stream.end(GrpcStatus.UNAVAILABLE, this.#accepting ? 'not synced yet' : 'this replica is going away');
      return;
    }
    const admission = this.options.authenticate?.(stream) ?? nobody;
    if (!(admission instanceof Promise)) this.#admit(stream, variant, admission);
    else
      awaitAdmission(stream, admission, this.#limits.maxRequestBytes, (outcome, early) => {
        const connection = this.#admit(stream, variant, outcome);
        for (const message of early) connection?.receive(message);
      });
  }

  #admit(stream: GrpcStream, variant: Variant, admission: Admission): Connection | undefined {
    if ('error' in admission) {
      const { code = GrpcStatus.UNAUTHENTICATED, error, reason = error } = admission;
      this.options.events?.refused?.(stream.peer, code, reason);
      stream.end(code, error);
      return undefined;
    }
    const { identity } = admission;
    const connection = new Connection(++this.#numbers, variant, stream, this.options.now(), identity, this.#context());
    this.#connections.add(connection);
    this.options.events?.opened?.(variant);
    return connection;
  }

  #context(): ConnectionContext {
    return {
      source: this.options.source,
      holdBack: this.#holdBack,
      now: this.options.now,
      events: this.options.events ?? {},
      holdsChanged: () => this.#scheduleRefresh(),
      closed: (connection) => {
        if (this.#connections.delete(connection)) this.options.events?.closed?.(connection.variant);
      },
      refused: (peer, code, reason) => this.options.events?.refused?.(peer, code, reason),
    };
  }

  /** Many clients may refuse or accept in one turn; the others are looked at once. */
  #scheduleRefresh(): void {
    if (this.#refreshAll) return;
    this.#refreshAll = true;
    setImmediate(() => {
      this.#refreshAll = false;
      for (const connection of this.#connections) connection.refresh();
    });
  }

  #dropSlowReaders(): void {
    const limit = this.options.now() - this.#limits.slowReaderMs;
    for (const connection of this.#connections) {
      if (connection.blockedSince !== undefined && connection.blockedSince <= limit) {
        this.options.events?.slowReader?.(connection.stream?.proxy.id ?? '');
        connection.reset();
      }
    }
  }

  #isWanted(typeUrl: string, name: string, version?: string): boolean {
    for (const { stream } of this.#connections) {
      for (const layer of stream?.goal.views.get(typeUrl) ?? []) {
        const item = layer.get(name);
        if (item && (version === undefined || item.version === version)) return true;
      }
    }
    return false;
  }

  #prune(): void {
    const live = new Map<string, Set<ResourceSet>>();
    for (const { stream } of this.#connections)
      for (const [typeUrl, view] of stream?.goal.views ?? []) {
        let layers = live.get(typeUrl);
        if (!layers) live.set(typeUrl, (layers = new Set()));
        for (const layer of view) layers.add(layer);
      }
    this.#holdBack.prune((typeUrl, name) => [...(live.get(typeUrl) ?? [])].some((layer) => layer.has(name)));
  }
}
