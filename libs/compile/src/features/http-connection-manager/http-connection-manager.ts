import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { RouteConfiguration } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import {
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCert,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  HttpConnectionManagerSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { MeshConfig } from '@seine/model';
import type { ChainContext, ChainRole } from '../../inputs.js';
import { emitAccessLog } from '../access-log/access-log.js';
import { delimitedStatPrefix } from '../../frame/listeners-stat-prefix.js';
import { emitMixerReplies } from '../mixer-policy/mixer-policy.js';
import { emitMetricsLog } from '../telemetry-metrics/telemetry-metrics.js';
import { emitTracing } from '../tracing/tracing.js';
import { emitHttpFilters } from './http-filters.js';

export interface HttpConnectionManagerOptions {
  readonly statPrefix: string;
  /** The name of an RDS resource, or the routes themselves. */
  readonly routes: string | RouteConfiguration;
  readonly grpcWeb?: boolean | undefined;
  /** Accept CONNECT and absolute URLs: an explicit HTTP proxy. */
  readonly httpProxy?: boolean | undefined;
  readonly context: ChainContext;
}

type ManagerInit = Exclude<MessageInitShape<typeof HttpConnectionManagerSchema>, HttpConnectionManager>;

/** The network filter that makes a filter chain speak HTTP; settings as Istio's sidecars and gateways have them. */
export function emitHttpConnectionManager(options: HttpConnectionManagerOptions): Filter {
  const manager: ManagerInit = {
    statPrefix: delimitedStatPrefix(options.statPrefix),
    routeSpecifier: routeSpecifier(options.routes),
    httpFilters: emitHttpFilters({
      grpcWeb: options.grpcWeb === true || options.context.role === 'gateway',
      context: options.context,
    }),
    accessLog: [...emitMetricsLog(options.context, 'http'), ...emitAccessLog(options.context)],
    ...emitTracing(options.context),
    ...emitMixerReplies(options.context),
    ...normalizations[options.context.config.pathNormalization ?? 'DEFAULT'],
    // Streams and long polls may idle for ever; the route timeouts bound requests.
    streamIdleTimeout: durationOf(0),
    // The upstream, not the proxy, decides on `Expect: 100-continue`.
    proxy100Continue: true,
    generateRequestId: true,
    upgradeConfigs: [{ upgradeType: 'websocket' }, ...(options.httpProxy ? [{ upgradeType: 'CONNECT' }] : [])],
    ...protocolOptions(options),
    ...byRole[options.context.role],
    ...(options.context.role === 'gateway' && topologyOf(options.context.config)),
  };
  return create(FilterSchema, {
    name: 'envoy.filters.network.http_connection_manager',
    configType: { case: 'typedConfig', value: toAny(HttpConnectionManagerSchema, manager) },
  });
}

/** Without `acceptHttp10` Envoy answers HTTP/1.0 with 426; requests of it that lack a Host cannot be routed by one. */
function protocolOptions({ httpProxy, context }: HttpConnectionManagerOptions): ManagerInit {
  const { http10 } = context.config;
  if (!httpProxy && !http10) return {};
  return {
    httpProtocolOptions: { ...(httpProxy && { allowAbsoluteUrl: true }), ...(http10 && { acceptHttp10: true }) },
  };
}

/** MeshConfig.pathNormalization. RFC 3986 normalization by default, else `/a/../b` would slip past path matches. */
const normalizations: Readonly<Record<NonNullable<MeshConfig['pathNormalization']>, ManagerInit>> = {
  DEFAULT: { normalizePath: true },
  NONE: { normalizePath: false },
  BASE: { normalizePath: true },
  MERGE_SLASHES: { normalizePath: true, mergeSlashes: true },
  DECODE_AND_MERGE_SLASHES: {
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: EscapedSlashes.UNESCAPE_AND_FORWARD,
  },
};

const serverName = 'istio-envoy';

const byRole: Readonly<Record<ChainRole, ManagerInit>> = {
  outbound: { useRemoteAddress: false },
  inbound: {
    useRemoteAddress: false,
    serverName,
    // The application learns from X-Forwarded-Client-Cert who called; Envoy drops the header of plaintext clients.
    forwardClientCertDetails: ForwardClientCert.APPEND_FORWARD,
    setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
  },
  gateway: {
    // Clients are outside the mesh: what they claim in X-Forwarded-For and -Client-Cert is not believed.
    useRemoteAddress: true,
    serverName,
    forwardClientCertDetails: ForwardClientCert.SANITIZE_SET,
    setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true },
  },
};

/** What stands before gateways, and so whose word is taken for who the client is (`defaultConfig.gatewayTopology`). */
function topologyOf({ defaultConfig }: MeshConfig): ManagerInit {
  const { numTrustedProxies, forwardClientCertDetails = 'UNDEFINED' } = defaultConfig.gatewayTopology ?? {};
  return {
    ...(numTrustedProxies !== undefined && { xffNumTrustedHops: numTrustedProxies }),
    ...(forwardClientCertDetails !== 'UNDEFINED' && {
      forwardClientCertDetails: ForwardClientCert[forwardClientCertDetails],
    }),
  };
}

function routeSpecifier(routes: string | RouteConfiguration): NonNullable<ManagerInit['routeSpecifier']> {
  if (typeof routes !== 'string') return { case: 'routeConfig', value: routes };
  return {
    case: 'rds',
    value: {
      routeConfigName: routes,
      configSource: {
        configSourceSpecifier: { case: 'ads', value: {} },
        // Wait for the routes for ever: a listener that starts without them would answer 404.
        initialFetchTimeout: durationOf(0),
        resourceApiVersion: ApiVersion.V3,
      },
    },
  };
}
