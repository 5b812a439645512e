import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  ClusterSchema,
} from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type Address, AddressSchema } from '@seine/envoy/envoy/config/core/v3/address_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouterSchema } from '@seine/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { HttpProtocolOptionsSchema } from '@seine/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { isIpAddress } from '@seine/model';
import type { BootstrapOptions } from './bootstrap-options.js';
import { agentClusterName, xdsTransportSocket } from './bootstrap-xds-tls.js';

export const xdsClusterName = 'xds-grpc';
/** The proxy's own admin interface, of which the public listeners show one path each. */
const adminClusterName = 'prometheus_stats';
const defaultAdminAddress = '127.0.0.1';
const ownerOnly = 0o600;

export function socketAddress(address: string, port: number): Address {
  return create(AddressSchema, {
    address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } },
  });
}

export function adminAddress({ admin }: BootstrapOptions): Address {
  if ('socketPath' in admin)
    return create(AddressSchema, { address: { case: 'pipe', value: { path: admin.socketPath, mode: ownerOnly } } });
  return socketAddress(admin.address ?? defaultAdminAddress, admin.port);
}

export function renderStaticClusters(options: BootstrapOptions): Cluster[] {
  const { host, port } = options.xds;
  const transportSocket = xdsTransportSocket(options);
  return [
    create(ClusterSchema, {
      name: xdsClusterName,
      clusterDiscoveryType: {
        case: 'type',
        value: isIpAddress(host) ? Cluster_DiscoveryType.STATIC : Cluster_DiscoveryType.STRICT_DNS,
      },
      dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
      connectTimeout: durationOf(1000),
      // A pilot that vanished without a FIN is found out within half a minute by the pings, by the kernel otherwise.
      upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 300 } },
      typedExtensionProtocolOptions: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': toAny(HttpProtocolOptionsSchema, {
          upstreamProtocolOptions: {
            case: 'explicitHttpConfig',
            value: {
              protocolConfig: {
                case: 'http2ProtocolOptions',
                value: { connectionKeepalive: { interval: durationOf(30_000), timeout: durationOf(5000) } },
              },
            },
          },
        }),
      },
      loadAssignment: assignment(xdsClusterName, socketAddress(host, port)),
      ...(transportSocket && { transportSocket }),
    }),
    create(ClusterSchema, {
      name: adminClusterName,
      clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
      connectTimeout: durationOf(250),
      loadAssignment: assignment(adminClusterName, adminAddress(options)),
    }),
    ...(options.agentSocket === undefined ? [] : [agentCluster(options.agentSocket)]),
  ];
}

/** SDS on a Unix socket. Envoy asks again and again until the agent is there. */
function agentCluster(path: string): Cluster {
  return create(ClusterSchema, {
    name: agentClusterName,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: durationOf(1000),
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': toAny(HttpProtocolOptionsSchema, {
        upstreamProtocolOptions: {
          case: 'explicitHttpConfig',
          value: { protocolConfig: { case: 'http2ProtocolOptions', value: {} } },
        },
      }),
    },
    loadAssignment: assignment(agentClusterName, create(AddressSchema, { address: { case: 'pipe', value: { path } } })),
  });
}

function assignment(clusterName: string, address: Address) {
  return {
    clusterName,
    endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint' as const, value: { address } } }] }],
  };
}

/** The public windows on the admin interface: exactly one path each, as the rest of it can change the proxy. */
export function renderStaticListeners({ statusAddress, prometheusPort, readyPort }: BootstrapOptions): Listener[] {
  const address = statusAddress ?? '0.0.0.0';
  return [
    ...(prometheusPort === 0 ? [] : [adminWindow('prometheus', address, prometheusPort, '/stats/prometheus')]),
    ...(readyPort === 0 ? [] : [adminWindow('ready', address, readyPort, '/healthz/ready', '/ready')]),
  ];
}

function adminWindow(name: string, address: string, port: number, path: string, adminPath = path): Listener {
  const manager = toAny(HttpConnectionManagerSchema, {
    statPrefix: `${name};`,
    routeSpecifier: {
      case: 'routeConfig',
      value: {
        virtualHosts: [
          {
            name: 'backend',
            domains: ['*'],
            routes: [
              {
                match: { pathSpecifier: { case: 'path', value: path } },
                action: {
                  case: 'route',
                  value: {
                    clusterSpecifier: { case: 'cluster', value: adminClusterName },
                    ...(adminPath !== path && { prefixRewrite: adminPath }),
                  },
                },
              },
            ],
          },
        ],
      },
    },
    httpFilters: [
      { name: 'envoy.filters.http.router', configType: { case: 'typedConfig', value: toAny(RouterSchema, {}) } },
    ],
  });
  return create(ListenerSchema, {
    name,
    address: socketAddress(address, port),
    // Probes and scrapes must be answered while the proxy sheds load.
    bypassOverloadManager: true,
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
}
