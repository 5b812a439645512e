import { durationOf, toAny } from '@seine/envoy';
import { OpenTelemetryConfigSchema } from '@seine/envoy/envoy/config/trace/v3/opentelemetry_pb.js';
import { DynatraceResourceDetectorConfigSchema } from '@seine/envoy/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/dynatrace_resource_detector_pb.js';
import { EnvironmentResourceDetectorConfigSchema } from '@seine/envoy/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/environment_resource_detector_pb.js';
import { DynatraceSamplerConfigSchema } from '@seine/envoy/envoy/extensions/tracers/opentelemetry/samplers/v3/dynatrace_sampler_pb.js';
import { type OpenTelemetryProvider, parseDuration } from '@seine/istio';
import { type ProviderCluster, type ProviderClusters, providerKey } from '../../telemetry/providers.js';
import { emitGrpcService, emitHttpService, givenHeaders, type Tracer } from './tracers.js';

const detectorName = 'envoy.tracers.opentelemetry.resource_detectors';

/** The OpenTelemetry tracer: by HTTP where the provider has `http`, else by gRPC. */
export function emitOpenTelemetry(
  provider: OpenTelemetryProvider,
  cluster: ProviderCluster,
  serviceName: string,
  clusters: ProviderClusters | undefined,
): Tracer {
  const { http, resourceDetectors } = provider;
  const sampler = emitSampler(provider, cluster, clusters);
  const typedConfig = toAny(OpenTelemetryConfigSchema, {
    serviceName,
    ...(http ? { httpService: emitHttpService(cluster, http) } : { grpcService: grpcService(provider, cluster) }),
    resourceDetectors: [
      ...(resourceDetectors?.environment
        ? [
            {
              name: `${detectorName}.environment`,
              typedConfig: toAny(EnvironmentResourceDetectorConfigSchema, {}),
            },
          ]
        : []),
      ...(resourceDetectors?.dynatrace
        ? [{ name: `${detectorName}.dynatrace`, typedConfig: toAny(DynatraceResourceDetectorConfigSchema, {}) }]
        : []),
    ],
    ...(sampler && { sampler }),
  });
  return { name: 'envoy.tracers.opentelemetry', typedConfig, samples: sampler !== undefined };
}

function grpcService({ grpc }: OpenTelemetryProvider, cluster: ProviderCluster) {
  const timeout = grpc?.timeout === undefined ? undefined : parseDuration(grpc.timeout);
  return {
    ...emitGrpcService(cluster),
    ...(timeout !== undefined && { timeout: durationOf(timeout) }),
    initialMetadata: [...givenHeaders(grpc?.initialMetadata)],
  };
}

/** Dynatrace's sampler asks its own API, or the one that spans go to. */
function emitSampler(
  { dynatraceSampler: sampler, http }: OpenTelemetryProvider,
  cluster: ProviderCluster,
  clusters: ProviderClusters | undefined,
) {
  if (!sampler) return undefined;
  const api = sampler.httpService;
  const apiCluster = api ? clusters?.get(providerKey(api)) : http && cluster;
  if (!apiCluster) return undefined;
  const service = api?.http ?? { ...http, path: '/api/v2/samplingConfiguration' };
  const { tenant = '', clusterId = 0, rootSpansPerMinute = 0 } = sampler;
  return {
    name: 'envoy.tracers.opentelemetry.samplers.dynatrace',
    typedConfig: toAny(DynatraceSamplerConfigSchema, {
      tenant,
      clusterId,
      rootSpansPerMinute,
      httpService: emitHttpService(apiCluster, service),
    }),
  };
}
