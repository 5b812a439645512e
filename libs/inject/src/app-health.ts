import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { type Cluster, Cluster_DiscoveryType, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type HealthCheck, HealthCheckSchema } from '@seine/envoy/envoy/config/core/v3/health_check_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { type Route, RouteSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { HealthCheckSchema as HealthCheckFilterSchema } from '@seine/envoy/envoy/extensions/filters/http/health_check/v3/health_check_pb.js';
import { RouterSchema } from '@seine/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import {
  type HttpFilter,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { UpstreamTlsContextSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { HttpProtocolOptionsSchema } from '@seine/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import type { AppProbe } from './rewrite-probes.js';

export interface AppHealthOptions {
  readonly probes: readonly AppProbe[];
  /** Where kubelet asks: Istio's 15020. */
  readonly statusPort: number;
  /** Where the application is asked: the pod's own address, as without a mesh. */
  readonly address: string;
}

/** The source of connections that interception leaves alone (the rules of istio-iptables). */
const inboundSource = '127.0.0.6';
const checkEveryMs = 1000;

/**
 * What answers kubelet's probes in Envoy, with nobody beside it: HTTP probes are led to the application; TCP and gRPC
 * probes are answered by what Envoy's own health checks of it have found, so that a dead port fails the probe.
 */
export function renderAppHealth(options: AppHealthOptions): {
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
} {
  const { probes, statusPort } = options;
  if (probes.length === 0) return { listeners: [], clusters: [] };
  const routes = probes.flatMap((probe) => (probe.probe.httpGet ? [httpRoute(probe)] : []));
  const checks = probes.flatMap((probe) => (probe.probe.httpGet ? [] : [checkFilter(probe)]));
  const manager = toAny(HttpConnectionManagerSchema, {
    statPrefix: 'app_health',
    routeSpecifier: { case: 'routeConfig', value: { virtualHosts: [{ name: 'application', domains: ['*'], routes }] } },
    httpFilters: [...checks, filter('envoy.filters.http.router', toAny(RouterSchema, {}))],
  });
  const listener = create(ListenerSchema, {
    name: 'app_health',
    address: socket('0.0.0.0', statusPort),
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
  return { listeners: [listener], clusters: probes.map((probe) => clusterOf(probe, options.address)) };
}

function socket(address: string, port: number) {
  const value = { address, portSpecifier: { case: 'portValue' as const, value: port } };
  return { address: { case: 'socketAddress' as const, value } };
}

function filter(name: string, value: ReturnType<typeof toAny>): HttpFilter {
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value } });
}

/** The statistics by which `checkFilter` answers. */
export const healthStats = 'cluster\\.app-health.*\\.membership_.*';

const clusterName = ({ path }: AppProbe): string => `app-health|${path}`;

function httpRoute(appProbe: AppProbe): Route {
  const { httpGet } = appProbe.probe;
  const headers = httpGet?.httpHeaders ?? [];
  const host = headers.find(({ name }) => name.toLowerCase() === 'host')?.value;
  const target = httpGet?.path ?? '/';
  return create(RouteSchema, {
    match: { pathSpecifier: { case: 'path', value: appProbe.path } },
    action: {
      case: 'route',
      value: {
        clusterSpecifier: { case: 'cluster', value: clusterName(appProbe) },
        prefixRewrite: target.startsWith('/') ? target : `/${target}`,
        timeout: durationOf(appProbe.timeoutSeconds * 1000),
        ...(host !== undefined && { hostRewriteSpecifier: { case: 'hostRewriteLiteral', value: host } }),
      },
    },
    requestHeadersToAdd: headers
      .filter(({ name }) => name.toLowerCase() !== 'host')
      .map(({ name, value }) => ({ header: { key: name, value } })),
  });
}

/** Answers 200 while the cluster is healthy, 503 otherwise. */
function checkFilter(appProbe: AppProbe): HttpFilter {
  const value = toAny(HealthCheckFilterSchema, {
    passThroughMode: false,
    headers: [
      {
        name: ':path',
        headerMatchSpecifier: {
          case: 'stringMatch',
          value: { matchPattern: { case: 'exact', value: appProbe.path } },
        },
      },
    ],
    clusterMinHealthyPercentages: { [clusterName(appProbe)]: { value: 100 } },
  });
  return filter('envoy.filters.http.health_check', value);
}

function clusterOf(appProbe: AppProbe, address: string): Cluster {
  const { httpGet, tcpSocket, grpc } = appProbe.probe;
  const port = Number((httpGet ?? tcpSocket ?? grpc)?.port);
  const name = clusterName(appProbe);
  const at = httpGet?.host ?? tcpSocket?.host ?? address;
  const check = healthCheck(appProbe, `${at}:${port}`);
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: durationOf(appProbe.timeoutSeconds * 1000),
    upstreamBindConfig: { sourceAddress: socket(inboundSource, 0).address.value },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address: socket(at, port) } } }] }],
    },
    // Probes are few: a kept connection would only be found dead.
    ...(httpGet && { typedExtensionProtocolOptions: oneRequestEach }),
    ...(grpc && { typedExtensionProtocolOptions: http2 }),
    ...(check && { healthChecks: [check] }),
    ...(httpGet?.scheme?.toUpperCase() === 'HTTPS' && { transportSocket: unverifiedTls }),
  });
}

/** @param authority of gRPC requests: Envoy's own would be the cluster's name, which servers refuse */
function healthCheck({ probe, timeoutSeconds }: AppProbe, authority: string): HealthCheck | undefined {
  if (probe.httpGet) return undefined;
  return create(HealthCheckSchema, {
    timeout: durationOf(timeoutSeconds * 1000),
    interval: durationOf(checkEveryMs),
    noTrafficInterval: durationOf(checkEveryMs),
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    reuseConnection: false,
    healthChecker: probe.grpc
      ? { case: 'grpcHealthCheck', value: { serviceName: probe.grpc.service ?? '', authority } }
      : { case: 'tcpHealthCheck', value: {} },
  });
}

/** As kubelet does: a probe asks whether the application answers, not who it is. */
const unverifiedTls = {
  name: 'envoy.transport_sockets.tls',
  configType: { case: 'typedConfig' as const, value: toAny(UpstreamTlsContextSchema, {}) },
};

const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const oneRequestEach = {
  [optionsName]: toAny(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: { maxRequestsPerConnection: 1 },
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } },
    },
  }),
};
const http2 = {
  [optionsName]: toAny(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'http2ProtocolOptions', value: {} } },
    },
  }),
};
