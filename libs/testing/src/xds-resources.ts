import { create, type JsonObject } from '@bufbuild/protobuf';
import { durationOf, encodeResource, toAny, TypeUrl } from '@seine/envoy';
import { ClusterSchema, Cluster_DiscoveryType } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type Node, NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { ClusterLoadAssignmentSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import { LocalityLbEndpointsSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { type VirtualHost, VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { type Resource, resource } from '@seine/snapshot';

/** A resource and the type it belongs to: what a fake source is fed with. */
export interface TypedResource {
  readonly typeUrl: string;
  readonly resource: Resource;
}

/** The node of a sidecar, as a real Envoy of a pod would give it. */
export function aNode(name = 'client-1', metadata: JsonObject = {}): Node {
  return create(NodeSchema, {
    id: `sidecar~10.0.0.1~${name}.default~default.svc.cluster.local`,
    cluster: `${name}.default`,
    metadata: { NAMESPACE: 'default', ISTIO_VERSION: '1.30.0', ...metadata },
  });
}

/** @param generation another number makes another content of the same name */
export function aCluster(name: string, generation = 0): TypedResource {
  const message = create(ClusterSchema, {
    name,
    connectTimeout: durationOf(1000 + generation),
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: { configSourceSpecifier: { case: 'ads', value: {} } } },
  });
  return { typeUrl: TypeUrl.cluster, resource: resource(name, encodeResource(ClusterSchema, message)) };
}

export function anAssignment(clusterName: string, ...addresses: readonly string[]): TypedResource {
  const message = create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: addresses.map((address) =>
      create(LocalityLbEndpointsSchema, {
        lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address: socketAddress(address, 8080) } } }],
      }),
    ),
  });
  return {
    typeUrl: TypeUrl.endpoint,
    resource: resource(clusterName, encodeResource(ClusterLoadAssignmentSchema, message)),
  };
}

/** A listener whose HTTP connection manager takes the route configuration of this name over ADS. */
export function aListener(name: string, routeConfigName: string, generation = 0): TypedResource {
  const manager = toAny(HttpConnectionManagerSchema, {
    statPrefix: `generation-${generation}`,
    routeSpecifier: {
      case: 'rds',
      value: { routeConfigName, configSource: { configSourceSpecifier: { case: 'ads', value: {} } } },
    },
  });
  const message = create(ListenerSchema, {
    name,
    address: socketAddress('127.0.0.1', 15001),
    filterChains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { case: 'typedConfig', value: manager },
          },
        ],
      },
    ],
  });
  return { typeUrl: TypeUrl.listener, resource: resource(name, encodeResource(ListenerSchema, message)) };
}

/** A route configuration with one virtual host a cluster; `padding` bytes make it as large as a test needs. */
export function aRouteConfig(name: string, clusters: readonly string[], padding = 0): TypedResource {
  const message = create(RouteConfigurationSchema, {
    name,
    virtualHosts: clusters.map(aVirtualHost),
    internalOnlyHeaders: padding > 0 ? ['x'.repeat(padding)] : [],
  });
  return { typeUrl: TypeUrl.route, resource: resource(name, encodeResource(RouteConfigurationSchema, message)) };
}

function aVirtualHost(cluster: string): VirtualHost {
  return create(VirtualHostSchema, {
    name: cluster,
    domains: [cluster],
    routes: [
      {
        match: { pathSpecifier: { case: 'prefix', value: '/' } },
        action: { case: 'route', value: { clusterSpecifier: { case: 'cluster', value: cluster } } },
      },
    ],
  });
}

export function aSecret(name: string): TypedResource {
  const message = create(SecretSchema, { name, type: { case: 'genericSecret', value: {} } });
  return { typeUrl: TypeUrl.secret, resource: resource(name, encodeResource(SecretSchema, message)) };
}

function socketAddress(address: string, port: number) {
  return {
    address: {
      case: 'socketAddress' as const,
      value: { address, portSpecifier: { case: 'portValue' as const, value: port } },
    },
  };
}
