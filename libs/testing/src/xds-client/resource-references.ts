import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ClusterSchema, Cluster_DiscoveryType } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { type RouteConfiguration, RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';

/** The EDS resource that a cluster waits for; undefined when it needs none. */
export function endpointsOfCluster(bytes: Uint8Array): string | undefined {
  const cluster = fromBinary(ClusterSchema, bytes);
  if (cluster.clusterDiscoveryType.case !== 'type') return undefined;
  if (cluster.clusterDiscoveryType.value !== Cluster_DiscoveryType.EDS) return undefined;
  return cluster.edsClusterConfig?.serviceName || cluster.name;
}

/** Route configurations that a listener's HTTP connection managers take over RDS. */
export function routesOfListener(bytes: Uint8Array): string[] {
  const listener = fromBinary(ListenerSchema, bytes);
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
  return chains.flatMap((chain) =>
    chain.filters.flatMap((filter) => {
      if (filter.configType.case !== 'typedConfig') return [];
      const manager = anyUnpack(filter.configType.value, HttpConnectionManagerSchema);
      return manager?.routeSpecifier.case === 'rds' ? [manager.routeSpecifier.value.routeConfigName] : [];
    }),
  );
}

/** Clusters that a route configuration sends requests to by name. */
export function clustersOfRoutes(bytes: Uint8Array): Set<string> {
  const config: RouteConfiguration = fromBinary(RouteConfigurationSchema, bytes);
  const clusters = new Set<string>();
  for (const { routes } of config.virtualHosts)
    for (const { action } of routes) {
      if (action.case !== 'route') continue;
      const { clusterSpecifier } = action.value;
      if (clusterSpecifier.case === 'cluster') clusters.add(clusterSpecifier.value);
      if (clusterSpecifier.case === 'weightedClusters')
        for (const weighted of clusterSpecifier.value.clusters) clusters.add(weighted.name);
    }
  return clusters;
}
