import type { MeshConfig } from '@seine/model';
import { AllowAnyDynamicDNSCluster, BlackHoleCluster, PassthroughCluster } from '../../frame/cluster-names.js';

/** Where traffic to destinations goes that no service declares: `outboundTrafficPolicy` as clusters. */
export interface OutboundFallback {
  /** For HTTP requests; undefined = they are answered with 502. */
  readonly http: string | undefined;
  /** For connections of which nothing but the destination is known. */
  readonly tcp: string;
}

export interface OutboundPolicy {
  readonly mode: MeshConfig['outboundTrafficPolicy'];
  /** The cluster of `egressProxy`; it counts where the mode is ALLOW_ANY. */
  readonly egressProxy?: string | undefined;
}

/**
 * What `outboundTrafficPolicy` comes to for one kind of client.
 * @param withoutOriginalDestination interceptionMode NONE: where a connection was going is not known, so HTTP goes to the
 * host that the request names
 */
export function outboundFallback(
  { mode, egressProxy }: OutboundPolicy,
  withoutOriginalDestination: boolean,
): OutboundFallback {
  if (mode === 'REGISTRY_ONLY') return { http: undefined, tcp: BlackHoleCluster };
  const tcp = egressProxy ?? PassthroughCluster;
  if (egressProxy !== undefined || !withoutOriginalDestination) return { http: tcp, tcp };
  return { http: AllowAnyDynamicDNSCluster, tcp };
}

/** Whether a client needs the cluster that resolves whatever host a request names. */
export function resolvesAnyHost(fallback: OutboundFallback): boolean {
  return fallback.http === AllowAnyDynamicDNSCluster;
}
