import type { VirtualService } from '@seine/istio';
import { chainContext, type GatewayPortInput, type RouteClient } from '../../inputs.js';
import { intersectHosts, qualifiedHosts, serverHostsFor } from '../routing/host-intersection.js';
import { type L4Chain, objectMetadata } from '../tcp-routing/filter-chains.js';
import { routeFilters } from '../tcp-routing/l4-destinations.js';
import { clientMatches, type L4ClientMatch, servesGateway } from '../tcp-routing/l4-match.js';
import type { ReadServer } from './gateway-servers.js';

/** The chains of a plain TCP server: the `tcp` routes of VirtualServices bound to its Gateway. */
export function gatewayTcpChains(server: ReadServer, input: GatewayPortInput): L4Chain[] {
  return boundVirtualServices(server, input).flatMap((vs) =>
    (vs.spec.tcp ?? []).flatMap((route) => {
      const matches = route.match?.length ? route.match : [{}];
      return matches
        .filter((match) => serverMatches(match, vs, server))
        .flatMap(({ destinationSubnets }) =>
          chain(vs, route.route ?? [], { serverNames: [], subnets: destinationSubnets ?? [] }, server, input),
        );
    }),
  );
}

/** The chains of a PASSTHROUGH server: the `tls` routes of VirtualServices bound to its Gateway, by SNI. */
export function gatewayTlsChains(server: ReadServer, input: GatewayPortInput): L4Chain[] {
  return boundVirtualServices(server, input).flatMap((vs) =>
    (vs.spec.tls ?? []).flatMap((route) =>
      route.match
        .filter((match) => serverMatches(match, vs, server))
        .flatMap(({ sniHosts, destinationSubnets }) =>
          chain(
            vs,
            route.route ?? [],
            { serverNames: sniHosts.filter((host) => host !== '*'), subnets: destinationSubnets ?? [] },
            server,
            input,
          ),
        ),
    ),
  );
}

function chain(
  vs: VirtualService,
  routes: Parameters<typeof routeFilters>[1],
  match: L4Chain['match'],
  server: ReadServer,
  input: GatewayPortInput,
): L4Chain[] {
  const bySni = match.serverNames.length > 0;
  const scope = { ...input, port: server.port };
  const filters = routeFilters(vs, routes, scope, chainContext('gateway', input), { bySni });
  return filters.length === 0 ? [] : [{ match, filters, metadata: objectMetadata(vs) }];
}

/** Behind a gateway nobody knows where a client runs: `sourceLabels` and `sourceNamespace` have no effect (Istio's too). */
function serverMatches(match: L4ClientMatch, vs: VirtualService, server: ReadServer): boolean {
  return clientMatches({ port: match.port, gateways: match.gateways }, vs, clientOf(server), server.port);
}

function clientOf({ gateway: { metadata } }: ReadServer): RouteClient {
  return { gateway: `${metadata.namespace}/${metadata.name}`, namespace: metadata.namespace, labels: {} };
}

/** VirtualServices that name the server's Gateway and share a host with the server. */
function boundVirtualServices(server: ReadServer, input: GatewayPortInput): readonly VirtualService[] {
  const client = clientOf(server);
  return input.l4VirtualServices.filter((vs) => {
    const { namespace } = vs.metadata;
    const names = qualifiedHosts(vs.spec.hosts ?? [], namespace, input.config.clusterDomain);
    const hosts = serverHostsFor(server.spec.hosts, client.namespace, namespace);
    return servesGateway(vs, client.gateway) && intersectHosts(hosts, names).length > 0;
  });
}
