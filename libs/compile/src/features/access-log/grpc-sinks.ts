import { toAny } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from '@seine/envoy/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { OpenTelemetryAccessLogConfigSchema } from '@seine/envoy/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js';
import type { EnvoyOtelAlsProvider, ExtensionProvider } from '@seine/istio';
import { type ProviderCluster, type ProviderClusters, providerKey } from '../../telemetry/providers.js';
import { defaultText, formattersFor } from './formats.js';
import type { Sink } from './sink.js';

/** Names of logs where a provider gives none, as Istio's. */
const logNames = { http: 'http_envoy_accesslog', tcp: 'tcp_envoy_accesslog', otel: 'otel_envoy_accesslog' } as const;

/** The peers that Istio's proxies find out; logged where a provider names nothing else. */
const peers = ['upstream_peer', 'downstream_peer'];

function commonConfig({ host, cluster }: ProviderCluster, logName: string, filterStateObjectsToLog: readonly string[]) {
  return {
    logName,
    grpcService: {
      targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: cluster, authority: host } },
    },
    transportApiVersion: ApiVersion.V3,
    filterStateObjectsToLog: [...filterStateObjectsToLog],
  };
}

/** A log that goes to a service; undefined where the provider is none for logs, or the proxy does not see its service. */
export function emitGrpcSink(provider: ExtensionProvider, clusters: ProviderClusters | undefined): Sink | undefined {
  const { envoyHttpAls: http, envoyTcpAls: tcp, envoyOtelAls: otel } = provider;
  const service = http ?? tcp ?? otel;
  const cluster = service && clusters?.get(providerKey(service));
  if (!cluster) return undefined;
  if (http) return { name: 'envoy.access_loggers.http_grpc', typedConfig: httpConfig(http, cluster) };
  if (tcp) {
    const { logName = logNames.tcp, filterStateObjectsToLog = peers } = tcp;
    const typedConfig = toAny(TcpGrpcAccessLogConfigSchema, {
      commonConfig: commonConfig(cluster, logName, filterStateObjectsToLog),
    });
    return { name: 'envoy.access_loggers.tcp_grpc', typedConfig };
  }
  return otel && { name: 'envoy.access_loggers.open_telemetry', typedConfig: otelConfig(otel, cluster) };
}

function httpConfig(http: NonNullable<ExtensionProvider['envoyHttpAls']>, cluster: ProviderCluster) {
  const { logName = logNames.http, filterStateObjectsToLog = peers } = http;
  return toAny(HttpGrpcAccessLogConfigSchema, {
    commonConfig: commonConfig(cluster, logName, filterStateObjectsToLog),
    additionalRequestHeadersToLog: [...(http.additionalRequestHeadersToLog ?? [])],
    additionalResponseHeadersToLog: [...(http.additionalResponseHeadersToLog ?? [])],
    additionalResponseTrailersToLog: [...(http.additionalResponseTrailersToLog ?? [])],
  });
}

function otelConfig({ logName = logNames.otel, logFormat }: EnvoyOtelAlsProvider, cluster: ProviderCluster) {
  const text = logFormat?.text ?? '';
  const labels = Object.entries(logFormat?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return toAny(OpenTelemetryAccessLogConfigSchema, {
    commonConfig: commonConfig(cluster, logName, peers),
    disableBuiltinLabels: true,
    body: { value: { case: 'stringValue', value: text === '' ? defaultText : text } },
    ...(labels.length > 0 && {
      attributes: {
        values: labels.map(([key, value]) => ({
          key,
          value: { value: { case: 'stringValue' as const, value: typeof value === 'string' ? value : '' } },
        })),
      },
    }),
    formatters: formattersFor(text, JSON.stringify(logFormat?.labels ?? {})),
  });
}
