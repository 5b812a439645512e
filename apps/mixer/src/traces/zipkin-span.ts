import { readSpan, type ReceivedSpan, type SpanKind } from './otlp-request.js';

/** A span as Zipkin's API of version 2 has it. Times are microseconds (since 1970). */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: SpanKind;
  readonly name: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string };
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * OpenTelemetry's span in Zipkin's form, as OpenTelemetry's "Compatibility: Zipkin" says.
 * @throws WireError where its bytes are no span
 */
export function zipkinSpan({ traceId, service, bytes }: ReceivedSpan): ZipkinSpan {
  const span = readSpan(bytes);
  const tags = Object.fromEntries([...span.attributes].map(([key, value]) => [key, String(value)]));
  // Zipkin marks failures by the mere presence of the tag, and `false` would be one.
  if (tags['error'] === 'false') delete tags['error'];
  return {
    traceId,
    ...(span.parentId !== '' && { parentId: span.parentId }),
    id: span.spanId,
    ...(span.kind && { kind: span.kind }),
    name: span.name.toLowerCase(),
    timestamp: span.startUs,
    // 0 would be none.
    duration: Math.max(1, span.endUs - span.startUs),
    localEndpoint: { serviceName: service.toLowerCase() },
    ...(span.events.length > 0 && {
      annotations: span.events.map(({ timeUs, name }) => ({ timestamp: timeUs, value: name })),
    }),
    tags: { ...tags, ...(span.isError && { error: tags['error'] ?? (span.statusMessage || 'true') }) },
  };
}
