import type { Any } from '@bufbuild/protobuf/wkt';
import { toAny } from '@seine/envoy';
import type {
  Http2ProtocolOptionsSchema,
  HttpProtocolOptionsSchema as CommonHttpProtocolOptionsSchema,
} from '@seine/envoy/envoy/config/core/v3/protocol_pb.js';
import { HttpProtocolOptionsSchema } from '@seine/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import type { ConnectionPoolSettings, TrafficPolicy } from '@seine/istio';
import { isHttp2, type MeshConfig, type Protocol } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { needsAutoSni } from '../client-tls/client-tls.js';
import { emitErrorMatcher } from '../outlier-detection/outlier-detection.js';
import { istioDuration } from './istio-duration.js';

type Options = Fragment<typeof HttpProtocolOptionsSchema>;
type Http2Options = Fragment<typeof Http2ProtocolOptionsSchema>;

const extension = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** How long an HTTP/2 ping waits for its answer where the user says nothing: gRPC's own default, as Envoy has none. */
const defaultPingTimeout = '20s';

/** The HTTP version a cluster speaks: `downstream` = the one the client spoke. */
export type UpstreamProtocol = 'http1' | 'http2' | 'downstream';

/** What decides on HTTP/2 where a rule says nothing. */
type UpgradeDefaults = Pick<MeshConfig, 'h2UpgradePolicy'>;

/**
 * HTTP/2 is spoken where the port declares it (HTTP2, GRPC), or where the rule or, for ports that declare HTTP, the mesh
 * asks for the upgrade. Ports that are sniffed, and `useClientProtocol`, keep the client's version.
 */
export function upstreamProtocol(
  protocol: Protocol,
  pool: ConnectionPoolSettings | undefined,
  mesh: UpgradeDefaults = {},
): UpstreamProtocol {
  if (pool?.http?.useClientProtocol) return 'downstream';
  const stated = pool?.http?.h2UpgradePolicy ?? 'DEFAULT';
  if (isHttp2(protocol) || stated === 'UPGRADE') return 'http2';
  if (protocol === 'auto') return 'downstream';
  return stated === 'DEFAULT' && protocol === 'HTTP' && mesh.h2UpgradePolicy === 'UPGRADE' ? 'http2' : 'http1';
}

/**
 * The HTTP side of a connection pool as the cluster's extension options; undefined where Envoy's defaults are meant.
 * Envoy wants a protocol named in them even when only an idle time is set.
 */
export function emitHttpProtocol(
  protocol: Protocol,
  policy: TrafficPolicy,
  mesh: UpgradeDefaults = {},
): Record<string, Any> | undefined {
  const pool = policy.connectionPool;
  const version = upstreamProtocol(protocol, pool, mesh);
  const common = commonOptions(pool);
  const errorMatcher = emitErrorMatcher(policy.outlierDetection);
  const upstream = needsAutoSni(policy.tls);
  if (version === 'http1' && !common && !upstream && !errorMatcher) return undefined;
  const options: Options = {
    ...(common && { commonHttpProtocolOptions: common }),
    ...(upstream && { upstreamHttpProtocolOptions: upstream }),
    ...(errorMatcher && { outlierDetection: { errorMatcher } }),
    upstreamProtocolOptions: protocolOptions(version, pool),
  };
  return { [extension]: toAny(HttpProtocolOptionsSchema, options) };
}

function protocolOptions(
  version: UpstreamProtocol,
  pool: ConnectionPoolSettings | undefined,
): Options['upstreamProtocolOptions'] {
  const http2ProtocolOptions = http2Options(pool);
  switch (version) {
    case 'downstream':
      return { case: 'useDownstreamProtocolConfig', value: { httpProtocolOptions: {}, http2ProtocolOptions } };
    case 'http2':
      return {
        case: 'explicitHttpConfig',
        value: { protocolConfig: { case: 'http2ProtocolOptions', value: http2ProtocolOptions } },
      };
    case 'http1':
      return {
        case: 'explicitHttpConfig',
        value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } },
      };
  }
}

function http2Options(pool: ConnectionPoolSettings | undefined): Http2Options {
  const http = pool?.http;
  return {
    ...(http?.maxConcurrentStreams && { maxConcurrentStreams: http.maxConcurrentStreams }),
    ...(http?.http2KeepAlive && {
      connectionKeepalive: {
        ...(http.http2KeepAlive.interval && { interval: istioDuration(http.http2KeepAlive.interval) }),
        timeout: istioDuration(http.http2KeepAlive.timeout ?? defaultPingTimeout),
      },
    }),
  };
}

function commonOptions(
  pool: ConnectionPoolSettings | undefined,
): Fragment<typeof CommonHttpProtocolOptionsSchema> | undefined {
  const idleTimeout = pool?.http?.idleTimeout ?? pool?.tcp?.idleTimeout;
  const maxRequestsPerConnection = pool?.http?.maxRequestsPerConnection;
  const maxConnectionDuration = pool?.tcp?.maxConnectionDuration;
  if (idleTimeout === undefined && !maxRequestsPerConnection && maxConnectionDuration === undefined) return undefined;
  return {
    ...(idleTimeout !== undefined && { idleTimeout: istioDuration(idleTimeout) }),
    ...(maxRequestsPerConnection && { maxRequestsPerConnection }),
    ...(maxConnectionDuration !== undefined && { maxConnectionDuration: istioDuration(maxConnectionDuration) }),
  };
}
