import type { ObjectRef } from '@seine/diagnostics';
import type { Protocol } from './protocol.js';

/** How a cluster for the service finds its endpoints (envoy-side: EDS, STRICT_DNS, LOGICAL_DNS, ORIGINAL_DST, dynamic forward proxy). */
export type Resolution = 'static' | 'dns' | 'dns-round-robin' | 'passthrough' | 'dynamic-dns';

export interface ServicePort {
  /** The port clients name. */
  readonly port: number;
  readonly name: string;
  readonly protocol: Protocol;
  /** Where the workload listens, where the service itself says so; endpoints carry the resolved number anyway. */
  readonly targetPort?: number | string | undefined;
}

/** Namespaces to which something is visible: all, or a list (`.` is resolved already; none = `[]`). */
export type ExportTo = '*' | readonly string[];

/** Where Envoy writes which endpoint a client's session is at. */
export type PersistentSession =
  { readonly cookie: { readonly name: string; readonly path: string } } | { readonly header: string };

/**
 * A service of the mesh, wherever it came from (Kubernetes Service, ServiceEntry host, …). Endpoints are apart
 * (see ServiceEndpoints), so that they never recompile what names the service.
 */
export interface MeshService {
  /** The name clients use: `reviews.default.svc.cluster.local`, `*.wikipedia.org`. */
  readonly host: string;
  /** The object's own name: `reviews`. */
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly ServicePort[];
  /** VIPs (or CIDRs, of a ServiceEntry); empty for headless services and most ServiceEntries. */
  readonly addresses: readonly string[];
  readonly resolution: Resolution;
  readonly headless: boolean;
  /** Outside the mesh: no mTLS, no peer metadata. */
  readonly external: boolean;
  readonly exportTo: ExportTo;
  /** Kubernetes `spec.trafficDistribution`: endpoints near the client go first. */
  readonly trafficDistribution?: 'PreferSameZone' | 'PreferSameNode' | undefined;
  /** `false`: it gets no address by itself (label networking.istio.io/enable-autoallocate-ip). */
  readonly autoAllocate?: false | undefined;
  /** Addresses that were given to it from outside (ServiceEntry.status.addresses), for clients whose DNS tells them. */
  readonly allocatedAddresses?: readonly string[] | undefined;
  /** ExternalName Services that lead to it, by their hosts. */
  readonly aliases?: readonly string[] | undefined;
  /** Clients stay at the endpoint that answered first (labels istio.io/persistent-session, istio.io/persistent-session-header). */
  readonly persistentSession?: PersistentSession | undefined;
  /** Set by an ExternalName Service: the real DNS name. */
  readonly externalName?: string | undefined;
  /** Additional SANs a client accepts (ServiceEntry.subjectAltNames). */
  readonly subjectAltNames: readonly string[];
  /** SPIFFE identities of the workloads behind it, sorted: what a client verifies. */
  readonly serviceAccounts: readonly string[];
  /** RFC 3339; the older of two services with one host wins. */
  readonly creationTimestamp: string;
  readonly origin: ObjectRef;
  /** `kubernetes`: a cluster service with namespace-relative short names; `external`: only its full host. */
  readonly registry: 'kubernetes' | 'external';
}

export function isVisibleTo(exportTo: ExportTo, namespace: string): boolean {
  return exportTo === '*' || exportTo.includes(namespace);
}
