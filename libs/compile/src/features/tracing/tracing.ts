import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { UuidRequestIdConfigSchema } from '@seine/envoy/envoy/extensions/request_id/uuid/v3/uuid_pb.js';
import {
  type HttpConnectionManager_Tracing,
  HttpConnectionManager_TracingSchema,
  type RequestIDExtension,
  RequestIDExtensionSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { CustomTag } from '@seine/envoy/envoy/type/tracing/v3/custom_tag_pb.js';
import type { ChainContext } from '../../inputs.js';
import { effectiveTelemetry } from '../../telemetry/effective-telemetry.js';
import type { TracingTarget } from '../../telemetry/resolve-tracing.js';
import { emitCustomTags } from './custom-tags.js';
import { emitTracer } from './tracers.js';

/** What tracing changes of a connection manager. */
export interface EmittedTracing {
  readonly tracing?: HttpConnectionManager_Tracing;
  readonly requestIdExtension?: RequestIDExtension;
}

/** Tracing as `Telemetry.tracing`, `defaultProviders.tracing` or `defaultConfig.tracing` say. */
export function emitTracing(context: ChainContext): EmittedTracing {
  const { tracing } = effectiveTelemetry(context);
  if (!tracing) return {};
  const { provider, maxPathTagLength } = tracing;
  const tracer = emitTracer(provider, context.policies);
  if (!tracer) return {};
  const longest = maxTagLength(provider) || maxPathTagLength;
  const percent = tracer.samples ? 100 : tracing.sampling;
  return {
    tracing: create(HttpConnectionManager_TracingSchema, {
      clientSampling: { value: 100 },
      randomSampling: { value: percent },
      overallSampling: { value: 100 },
      customTags: emitCustomTags(tracing) as CustomTag[],
      ...(longest > 0 && { maxPathTagLength: longest }),
      provider: { name: tracer.name, configType: { case: 'typedConfig', value: tracer.typedConfig } },
      // A gateway is a hop of its own; a sidecar and its application are one.
      ...((context.role === 'gateway' || provider.skywalking) && { spawnUpstreamSpan: true }),
    }),
    ...(!tracing.sampleByRequestId && { requestIdExtension: withoutSampling }),
  };
}

function maxTagLength({ zipkin, datadog, opentelemetry }: TracingTarget['provider']): number {
  return (zipkin ?? datadog ?? opentelemetry)?.maxTagLength ?? 0;
}

const withoutSampling = create(RequestIDExtensionSchema, {
  typedConfig: toAny(UuidRequestIdConfigSchema, { useRequestIdForTraceSampling: false }),
});
