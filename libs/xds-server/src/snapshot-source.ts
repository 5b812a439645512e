import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { Snapshot } from '@seine/snapshot';
import type { PeerIdentity, StreamRefusal } from './admission.js';

/** A proxy that the source computes snapshots for, from `open` to `close`. */
export interface ProxyHandle {
  readonly id: string;
  /** `1.40.0`; empty where the client is no Envoy. */
  readonly envoyVersion: string;
  /** What the proxy should have now. Cheap: called for every proxy at every change. */
  snapshot(): Snapshot;
  close(): void;
}

/** Where the server has its snapshots from. */
export interface SnapshotSource {
  /** False until the first full view of the mesh is compiled: nobody is served a partial one. */
  ready(): boolean;
  /**
   * @param identity what the client has proved to be; undefined where nobody has to prove anything
   * @returns why this node cannot be served, where it cannot
   */
  open(node: Node, identity: PeerIdentity | undefined): ProxyHandle | StreamRefusal;
}
