import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { durationOf, toAny } from '@seine/envoy';
import { HeaderValueOption_HeaderAppendAction as AppendAction } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { HttpServiceSchema } from '@seine/envoy/envoy/config/core/v3/http_service_pb.js';
import { DatadogConfigSchema } from '@seine/envoy/envoy/config/trace/v3/datadog_pb.js';
import { SkyWalkingConfigSchema } from '@seine/envoy/envoy/config/trace/v3/skywalking_pb.js';
import {
  ZipkinConfig_CollectorEndpointVersion as EndpointVersion,
  ZipkinConfig_TraceContextOption as TraceContextOption,
  ZipkinConfigSchema,
} from '@seine/envoy/envoy/config/trace/v3/zipkin_pb.js';
import {
  type ExtensionProvider,
  type HttpHeader,
  type HttpService,
  parseDuration,
  type ZipkinProvider,
} from '@seine/istio';
import type { ChainPolicies } from '../../inputs.js';
import { type ProviderCluster, providerKey } from '../../telemetry/providers.js';
import { emitOpenTelemetry } from './opentelemetry.js';

/** A tracer as Envoy's extension for it is called and configured. */
export interface Tracer {
  readonly name: string;
  readonly typedConfig: Any;
  /** Whether it decides on sampling itself. */
  readonly samples?: boolean | undefined;
}

/** Milliseconds; Envoy wants a limit. */
const defaultTimeout = 5000;

export function timeoutOf(text: string | undefined): number {
  return (text === undefined ? undefined : parseDuration(text)) ?? defaultTimeout;
}

/** Headers that have a value; those from the control plane's environment are not sent. */
export function givenHeaders(headers: readonly HttpHeader[] = []): readonly { key: string; value: string }[] {
  return headers.flatMap(({ name, value }) => (value === undefined ? [] : [{ key: name, value }]));
}

/** How Envoy calls an HTTP service of the mesh. */
export function emitHttpService(
  { host, cluster }: ProviderCluster,
  { path = '', timeout, headers }: HttpService,
): MessageInitShape<typeof HttpServiceSchema> {
  const slash = path.startsWith('/') ? '' : '/';
  return {
    httpUri: {
      uri: `http://${host}${slash}${path}`,
      httpUpstreamType: { case: 'cluster', value: cluster },
      timeout: durationOf(timeoutOf(timeout)),
    },
    requestHeadersToAdd: givenHeaders(headers).map((header) => ({
      header,
      appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    })),
  };
}

/** How Envoy calls a gRPC service of the mesh. */
export function emitGrpcService({ host, cluster }: ProviderCluster) {
  return { targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: cluster, authority: host } } };
}

/** The tracer of a provider; undefined where it is none, or the proxy does not see its service. */
export function emitTracer(provider: ExtensionProvider, policies: ChainPolicies): Tracer | undefined {
  const { zipkin, datadog, skywalking, opentelemetry } = provider;
  const service = zipkin ?? datadog ?? skywalking ?? opentelemetry;
  const cluster = service && policies.providerClusters?.get(providerKey(service));
  if (!cluster) return undefined;
  const serviceName = policies.serviceName ?? '';
  if (zipkin) return { name: 'envoy.tracers.zipkin', typedConfig: emitZipkin(zipkin, cluster) };
  if (datadog) {
    const settings = { collectorCluster: cluster.cluster, collectorHostname: cluster.host, serviceName };
    return { name: 'envoy.tracers.datadog', typedConfig: toAny(DatadogConfigSchema, settings) };
  }
  if (opentelemetry) return emitOpenTelemetry(opentelemetry, cluster, serviceName, policies.providerClusters);
  const typedConfig = toAny(SkyWalkingConfigSchema, { grpcService: emitGrpcService(cluster) });
  return { name: 'envoy.tracers.skywalking', typedConfig };
}

function emitZipkin(zipkin: ZipkinProvider, cluster: ProviderCluster): Any {
  const { path = '/api/v2/spans', timeout, headers, enable64bitTraceId = false, traceContextOption } = zipkin;
  return toAny(ZipkinConfigSchema, {
    collectorService: emitHttpService(cluster, { path, timeout, headers }),
    collectorEndpointVersion: EndpointVersion.HTTP_JSON,
    traceId128bit: !enable64bitTraceId,
    // Client and server each have a span of their own, as everybody but old Zipkin does it.
    sharedSpanContext: false,
    traceContextOption:
      traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION'
        ? TraceContextOption.USE_B3_WITH_W3C_PROPAGATION
        : TraceContextOption.USE_B3,
  });
}
