import type { MeshService, Workload } from '@seine/model';
import type { Value } from '../attributes/value-type.js';

/** What is known of one end of a request before the directory is asked. */
export interface End {
  /** IP address. */
  readonly address?: string | undefined;
  /** SPIFFE ID that its certificate proves, `spiffe://cluster.local/ns/default/sa/reviews`. */
  readonly identity?: string | undefined;
  /** `namespace/name` of the workload, as its proxy says. */
  readonly workload?: string | undefined;
  /** Host of the service that was called; of a destination. */
  readonly service?: string | undefined;
  readonly port?: number | undefined;
}

/** Where attributes go. */
export interface AttributeSink {
  set(name: string, value: Value): void;
}

export type Side = 'source' | 'destination';

/** Who is who in the mesh, as of one version of it. */
export interface Directory {
  /** The first of several at one address. */
  workloadByAddress(ip: string): Workload | undefined;
  /** @param name `namespace/name` */
  workloadByName(name: string): Workload | undefined;
  /** The workload of an identity; where several share it, those of one owner count as one. */
  workloadById(spiffe: string): Workload | undefined;
  serviceByHost(host: string): MeshService | undefined;
  /** Sets what is known of an end: workload, namespace, labels, owner, account, principal, service. */
  fill(side: Side, end: End, into: AttributeSink): void;
}
