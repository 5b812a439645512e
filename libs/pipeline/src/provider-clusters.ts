import { outboundClusterName, providerKey, type ProviderClusters, providerServices } from '@seine/compile';
import { internByKey, memo } from '@seine/memo';
import type { MeshConfig, MeshService } from '@seine/model';
import type { Services } from './visibility.js';

const internClusters = internByKey<ProviderClusters>(4096);

/** The service of a host as it may be written: whole, or as DNS would complete it within the cluster. */
function findService(services: Services, written: string, config: MeshConfig): MeshService | undefined {
  const slash = written.indexOf('/');
  const host = written.slice(slash + 1);
  const candidates = [host, `${host}.${config.clusterDomain}`, `${host}.svc.${config.clusterDomain}`];
  const service = candidates.map((candidate) => services.get(candidate)).find((found) => found !== undefined);
  return slash < 0 || service?.namespace === written.slice(0, slash) ? service : undefined;
}

/**
 * The services that extension providers name, as far as a proxy sees them; undefined where there are none. Services
 * that only change in what providers do not read leave the result the same object.
 */
export const providerClusters = memo(
  'providerClusters',
  (services: Services, config: MeshConfig): ProviderClusters | undefined => {
    const found = providerServices(config).flatMap((provider) => {
      const service = findService(services, provider.service, config);
      if (!service?.ports.some(({ port }) => port === provider.port)) return [];
      const { host } = service;
      return [[providerKey(provider), { host, cluster: outboundClusterName(provider.port, undefined, host) }] as const];
    });
    return found.length === 0 ? undefined : internClusters(JSON.stringify(found), () => new Map(found));
  },
);
