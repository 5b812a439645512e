import { isTls } from '@seine/model';
import { outboundClusterName } from '../../frame/cluster-names.js';
import { chainContext } from '../../inputs.js';
import { type L4Input, type L4Target, tlsChains } from '../tls-routing/tls-routing.js';
import { isCatchAll, type L4Chain, objectMetadata } from './filter-chains.js';
import { weightedClusters } from './l4-destinations.js';
import { clientMatches, virtualServicesOf } from './l4-match.js';
import { emitTcpProxy } from './tcp-proxy.js';

/** All chains that forward a service's bytes: by SNI, by the `tcp` routes of VirtualServices, then the service itself. */
export function serviceChains(target: L4Target, input: L4Input): L4Chain[] {
  const byName = tlsChains(target, input);
  const routed = routedTcpChains(target, input);
  const covered = routed.some(({ match }) => isCatchAll(match) || match.subnets === target.subnets);
  if (covered || isTls(target.port.protocol)) return [...byName, ...routed];
  const cluster = outboundClusterName(target.port.port, undefined, target.service.host);
  return [
    ...byName,
    ...routed,
    {
      match: { serverNames: [], subnets: target.subnets },
      filters: [emitTcpProxy(cluster, cluster, chainContext('outbound', input))],
    },
  ];
}

/** First match wins, so nothing behind a route without conditions is reached. */
function routedTcpChains({ service, subnets }: L4Target, input: L4Input): L4Chain[] {
  const { client, config, port } = input;
  return virtualServicesOf(service.host, input.l4VirtualServices, client, config).flatMap((vs) =>
    (vs.spec.tcp ?? []).flatMap((route) => {
      const clusters = weightedClusters(vs, route.route ?? [], input);
      if (clusters.length === 0) return [];
      const filters = [
        emitTcpProxy(`${vs.metadata.name}.${vs.metadata.namespace}`, clusters, chainContext('outbound', input)),
      ];
      const matches = route.match?.length ? route.match : [{}];
      return matches
        .filter((match) => clientMatches(match, vs, client, port))
        .map(({ destinationSubnets }) => ({
          match: { serverNames: [], subnets: destinationSubnets?.length ? destinationSubnets : subnets },
          filters,
          metadata: objectMetadata(vs),
        }));
    }),
  );
}
