import { isTls, type MeshService, type ServicePort } from '@seine/model';
import { chainContext, type OutboundListenerInput } from '../../inputs.js';
import { type L4Chain, objectMetadata } from '../tcp-routing/filter-chains.js';
import { routeFilters } from '../tcp-routing/l4-destinations.js';
import { clientMatches, virtualServicesOf } from '../tcp-routing/l4-match.js';
import { serviceFilters } from '../tcp-routing/tcp-routing.js';

export type L4Input = Omit<OutboundListenerInput, 'services'>;

/** One service behind a listener of its own address, or of the wildcard address within some subnets. */
export interface L4Target {
  readonly service: MeshService;
  readonly port: ServicePort;
  /** The service's address blocks; empty = no condition on the address. */
  readonly subnets: readonly string[];
  /** Whether the listener belongs to one address of the service. */
  readonly ownAddress: boolean;
}

/**
 * Chains by SNI, without terminating TLS: from the `tls` routes of VirtualServices, else, for TLS ports, straight to
 * the service. Where services share an address, the service's host is the server name that tells it apart.
 */
export function tlsChains(target: L4Target, input: L4Input): L4Chain[] {
  const { service, port, subnets, ownAddress } = target;
  const routed = virtualServicesOf(service.host, input.l4VirtualServices, input.client, input.config).flatMap((vs) =>
    (vs.spec.tls ?? []).flatMap((route) => {
      const filters = routeFilters(vs, route.route ?? [], input, chainContext('outbound', input), { bySni: true });
      if (filters.length === 0) return [];
      return route.match
        .filter((match) => clientMatches(match, vs, input.client, input.port))
        .map((match) => ({
          match: {
            serverNames: match.sniHosts.filter((host) => host !== '*'),
            subnets: match.destinationSubnets?.length ? match.destinationSubnets : subnets,
          },
          filters,
          metadata: objectMetadata(vs),
        }));
    }),
  );
  if (routed.length > 0 || !isTls(port.protocol)) return routed;
  return [
    {
      match: { serverNames: ownAddress ? [] : [service.host], subnets },
      filters: serviceFilters(target, input),
    },
  ];
}
