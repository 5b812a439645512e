import { create } from '@bufbuild/protobuf';
import {
  type RouteAction,
  type WeightedCluster_ClusterWeight,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRouteDestination } from '@seine/istio';
import { emitHeaderOperations, hostRewriteOf } from '../header-operations/emit-header-operations.js';
import { resolveDestination, type ResolvedDestination, type RouteScope } from '../routing/destination.js';

/** A destination that gets requests, with its cluster. */
export interface Share {
  readonly route: HTTPRouteDestination;
  readonly destination: ResolvedDestination;
}

/**
 * The destinations that get requests: a single one always, of several those with a weight. Empty: nobody serves the route.
 */
export function activeShares(routes: readonly HTTPRouteDestination[], scope: RouteScope): readonly Share[] {
  const active = routes.length === 1 ? routes : routes.filter((route) => (route.weight ?? 0) > 0);
  return active.map((route) => ({ route, destination: resolveDestination(route.destination, scope) }));
}

/**
 * One cluster, or several by weight, each with the headers of its destination (a single destination's headers belong to the
 * route). Weights need not sum up to 100.
 * @param hostRewritten the route rewrites the Host itself, which then holds for all its destinations
 */
export function emitClusterSpecifier(
  shares: readonly Share[],
  hostRewritten: boolean,
): RouteAction['clusterSpecifier'] {
  const [first] = shares;
  if (first && shares.length === 1) return { case: 'cluster', value: first.destination.cluster };
  const clusters = shares.map((share) => clusterWeight(share, hostRewritten));
  return { case: 'weightedClusters', value: create(WeightedClusterSchema, { clusters }) };
}

function clusterWeight({ route, destination }: Share, hostRewritten: boolean): WeightedCluster_ClusterWeight {
  const host = hostRewritten ? undefined : hostRewriteOf(route.headers);
  return create(WeightedCluster_ClusterWeightSchema, {
    name: destination.cluster,
    weight: route.weight ?? 0,
    ...emitHeaderOperations(route.headers),
    hostRewriteSpecifier: host ? { case: 'hostRewriteLiteral', value: host } : { case: undefined },
  });
}
