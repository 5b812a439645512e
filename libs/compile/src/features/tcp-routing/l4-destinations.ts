import type { Destination, VirtualService } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import type { DestinationFacts } from '../../inputs.js';
import { destinationsByHost, resolveDestination, type RouteScope } from '../routing/destination.js';
import { type TcpSettings, tcpSettings } from './tcp-settings.js';
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

/** How connections of a route are to be kept: as the first destination's DestinationRule says. */
export function routeSettings(
  virtualService: VirtualService,
  [first]: readonly L4RouteDestination[],
  l4: L4Scope,
): TcpSettings {
  if (!first) return {};
  const { facts, subset, port } = resolveDestination(first.destination, scopeOf(virtualService, l4));
  return tcpSettings(facts, subset, port, l4.config);
}

function scopeOf(virtualService: VirtualService, { port, destinations, config }: L4Scope): RouteScope {
  const { namespace } = virtualService.metadata;
  return { namespace, port, tls: false, destinations: destinationsByHost(destinations), config };
}
