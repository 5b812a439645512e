import type { Filter } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { Destination, VirtualService } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import type { ChainContext, DestinationFacts } from '../../inputs.js';
import { destinationsByHost, resolveDestination, type RouteScope } from '../routing/destination.js';
import { emitSniForwardProxy } from './sni-forward-proxy.js';
import { tcpSettings } from './tcp-settings.js';
import { emitTcpFilters } from './tcp-filters.js';
import type { WeightedCluster } from './tcp-proxy.js';

/** A weighted destination of a `tcp` or `tls` route. */
export interface L4RouteDestination {
  readonly destination: Destination;
  readonly weight?: number | undefined;
}

/** What a route's destinations are resolved with. */
export interface L4Scope {
  /** The port clients connect to: a destination's port where neither it nor its service says another. */
  readonly port: number;
  readonly destinations: readonly DestinationFacts[];
  readonly config: MeshConfig;
}

/**
 * The clusters of a route. A single destination takes all whatever its weight; of several those without weight take
 * none (Istio: RouteDestination.weight).
 */
export function weightedClusters(
  virtualService: VirtualService,
  routes: readonly L4RouteDestination[],
  l4: L4Scope,
): readonly WeightedCluster[] {
  const scope = scopeOf(virtualService, l4);
  const clusters = routes.map(({ destination, weight }) => ({
    name: resolveDestination(destination, scope).cluster,
    weight: routes.length === 1 ? 1 : (weight ?? 0),
  }));
  return clusters.filter(({ weight }) => weight > 0);
}

/**
 * What forwards the connections of a route: kept as the first destination's DestinationRule says. None where no
 * destination has a weight.
 * @param bySni the connections are TLS that names its host, so that of a wildcard service (DYNAMIC_DNS) this host is looked up
 */
export function routeFilters(
  virtualService: VirtualService,
  routes: readonly L4RouteDestination[],
  l4: L4Scope,
  context: ChainContext,
  { bySni }: { readonly bySni: boolean },
): Filter[] {
  const clusters = weightedClusters(virtualService, routes, l4);
  const [first] = routes;
  if (!first || clusters.length === 0) return [];
  const { facts, subset, port } = resolveDestination(first.destination, scopeOf(virtualService, l4));
  const { namespace, name } = virtualService.metadata;
  const service = facts?.service;
  return [
    ...(bySni && service?.resolution === 'dynamic-dns' ? [emitSniForwardProxy(service, port, l4.config)] : []),
    ...emitTcpFilters(`${name}.${namespace}`, clusters, context, tcpSettings(facts, subset, port, l4.config)),
  ];
}

function scopeOf(virtualService: VirtualService, { port, destinations, config }: L4Scope): RouteScope {
  const { namespace } = virtualService.metadata;
  return { namespace, port, tls: false, destinations: destinationsByHost(destinations), config };
}
