import type { Filter } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { isTls } from '@seine/model';
import { outboundClusterName } from '../../frame/cluster-names.js';
import { chainContext } from '../../inputs.js';
import { type L4Input, type L4Target, tlsChains } from '../tls-routing/tls-routing.js';
import { isCatchAll, type L4Chain, objectMetadata } from './filter-chains.js';
import { routeFilters } from './l4-destinations.js';
import { clientMatches, virtualServicesOf } from './l4-match.js';
import { emitSniForwardProxy, namesItsHostBySni } from './sni-forward-proxy.js';
import { emitTcpProxy } from './tcp-proxy.js';
import { tcpSettings } from './tcp-settings.js';

/** All chains that forward a service's bytes: by SNI, by the `tcp` routes of VirtualServices, then the service itself. */
export function serviceChains(target: L4Target, input: L4Input): L4Chain[] {
  const byName = tlsChains(target, input);
  const routed = routedTcpChains(target, input);
  const covered = routed.some(({ match }) => isCatchAll(match) || match.subnets === target.subnets);
  if (covered || isTls(target.port.protocol)) return [...byName, ...routed];
  return [
    ...byName,
    ...routed,
    {
      match: { serverNames: [], subnets: target.subnets },
      filters: serviceFilters(target, input),
    },
  ];
}

/** What forwards the bytes of connections to the service itself. */
export function serviceFilters({ service, port }: L4Target, input: L4Input): Filter[] {
  const cluster = outboundClusterName(port.port, undefined, service.host);
  const facts = input.destinations.find(({ host }) => host === service.host);
  const settings = tcpSettings(facts, undefined, port.port, input.config);
  return [
    ...(namesItsHostBySni(service, port) ? [emitSniForwardProxy(service, port.port, input.config)] : []),
    emitTcpProxy(cluster, cluster, chainContext('outbound', input), settings),
  ];
}

/** First match wins, so nothing behind a route without conditions is reached. */
function routedTcpChains({ service, subnets }: L4Target, input: L4Input): L4Chain[] {
  const { client, config, port } = input;
  return virtualServicesOf(service.host, input.l4VirtualServices, client, config).flatMap((vs) =>
    (vs.spec.tcp ?? []).flatMap((route) => {
      const filters = routeFilters(vs, route.route ?? [], input, chainContext('outbound', input), { bySni: false });
      if (filters.length === 0) return [];
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
