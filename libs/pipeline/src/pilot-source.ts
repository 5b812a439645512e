import { parseNode } from '@seine/bootstrap';
import type { Diagnostic } from '@seine/diagnostics';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { Mesh, Proxy, VerifiedIdentity } from '@seine/model';
import type { Snapshot } from '@seine/snapshot';
import { compileViews, countListenerConflicts, diagnosticsOfProxies } from './compiler.js';
import type { MeshVersion } from './mesh-feed.js';

/** A connected proxy: what it should have, computed once a mesh version. */
class ConnectedProxy {
  #revision = -1;
  #mesh: Mesh | undefined;
  #snapshot: Snapshot | undefined;

  constructor(
    readonly proxy: Proxy,
    private readonly current: () => MeshVersion,
    private readonly onClose: (self: ConnectedProxy) => void,
  ) {}

  get id(): string {
    return this.proxy.id;
  }

  get envoyVersion(): string {
    return this.proxy.envoyVersion;
  }

  snapshot(): Snapshot {
    const { mesh, revision } = this.current();
    if (!this.#snapshot || this.#mesh !== mesh || this.#revision !== revision) {
      const views = this.#snapshot && this.#mesh === mesh ? this.#snapshot.views : compileViews(mesh, this.proxy);
      this.#snapshot = { revision, views };
      this.#mesh = mesh;
      this.#revision = revision;
    }
    return this.#snapshot;
  }

  close(): void {
    this.onClose(this);
  }
}

/** gRPC's status PERMISSION_DENIED. */
const permissionDenied = 7;

export type OpenedProxy = Pick<ConnectedProxy, 'id' | 'envoyVersion' | 'proxy'> & {
  snapshot(): Snapshot;
  close(): void;
};

/**
 * Snapshots for an xDS server: parses nodes, and compiles for each connected proxy from the newest mesh. Ready once the
 * first whole mesh is in, and not before: a partial view would delete what proxies have.
 */
export class PilotSource {
  #version: MeshVersion | undefined;
  readonly #proxies = new Set<ConnectedProxy>();

  /** Takes a new mesh into force. */
  update(version: MeshVersion): void {
    this.#version = version;
  }

  ready(): boolean {
    return this.#version !== undefined;
  }

  get version(): MeshVersion | undefined {
    return this.#version;
  }

  /** What is wrong with the config as a whole, and with what each connected proxy gets of it. */
  diagnostics(): readonly Diagnostic[] {
    const { mesh, diagnostics } = this.#version ?? {};
    if (!mesh || !diagnostics) return [];
    return [...diagnostics, ...diagnosticsOfProxies(mesh, this.proxies())];
  }

  /** How many ports have no listener of their own at the connected proxies. */
  listenerConflicts(): number {
    return this.#version ? countListenerConflicts(this.#version.mesh, this.proxies()) : 0;
  }

  /** The proxies that are connected now. */
  proxies(): readonly Proxy[] {
    return [...this.#proxies].map((connected) => connected.proxy);
  }

  /** @param identity what the client has proved to be; undefined where nobody has to */
  open(node: Node, identity?: VerifiedIdentity): OpenedProxy | { readonly error: string; readonly code?: number } {
    const parsed = parseNode(node, identity);
    if ('error' in parsed) return { error: parsed.error, ...(parsed.isFalse && { code: permissionDenied }) };
    const connected = new ConnectedProxy(
      parsed.proxy,
      () => {
        if (!this.#version) throw new Error('a proxy was opened before the first mesh');
        return this.#version;
      },
      (self) => this.#proxies.delete(self),
    );
    this.#proxies.add(connected);
    return connected;
  }
}
