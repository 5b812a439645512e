import type { Cluster } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { EnvoyPatch, PatchContext } from './patches.js';

interface NameParts {
  readonly inbound: boolean;
  readonly port: number;
  readonly subset: string;
  readonly host: string;
}

/** `outbound|80|v1|reviews.default.svc.cluster.local`, `inbound|80||`. */
function partsOf(name: string): NameParts {
  const [direction = '', port = '', subset = '', host = ''] = name.split('|');
  return { inbound: direction === 'inbound', port: Number(port), subset, host };
}

/** The part of a proxy's config that a cluster belongs to, by its name. */
export function clusterContext(name: string, type: 'sidecar' | 'router'): PatchContext {
  if (type === 'router') return 'GATEWAY';
  return name.startsWith('inbound|') || name.startsWith('InboundPassthroughCluster')
    ? 'SIDECAR_INBOUND'
    : 'SIDECAR_OUTBOUND';
}

/**
 * Whether a cluster is meant, as far as its name says.
 * @param servesHost asked for inbound clusters, whose name has no host
 */
export function matchesCluster({ match }: EnvoyPatch, name: string, servesHost: (host: string) => boolean): boolean {
  const wanted = match.cluster;
  if (!wanted) return true;
  if (wanted.name) return wanted.name === name;
  const { inbound, port, subset, host } = partsOf(name);
  if (wanted.subset && wanted.subset !== subset) return false;
  if (wanted.portNumber && wanted.portNumber !== port) return false;
  if (!wanted.service) return true;
  return inbound ? servesHost(wanted.service) : wanted.service === host;
}

/** The hosts of the services behind a cluster, from the metadata that clusters carry. */
export function hostsOf({ metadata }: Cluster): readonly string[] {
  const services = metadata?.filterMetadata['istio']?.['services'];
  if (!Array.isArray(services)) return [];
  return services.flatMap((service) => {
    const host =
      typeof service === 'object' && service !== null && !Array.isArray(service) ? service['host'] : undefined;
    return typeof host === 'string' ? [host] : [];
  });
}
