import { WireError, type WireReader } from '../check/wire.js';
import { WireReader as Reader } from '../check/wire.js';
import { type AttributeValue, readAttribute } from './otlp-attributes.js';

/** A span as it came: what finds it, and its bytes, which are read when somebody asks for it. */
export interface ReceivedSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The service of its resource; '' where it says none. */
  readonly service: string;
  /** A message `Span` of its own, which nothing else holds on to. */
  readonly bytes: Buffer;
}

export interface ExportRequest {
  readonly spans: readonly ReceivedSpan[];
  /** Spans without an identity. */
  readonly rejected: number;
}

/**
 * Reads an opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest.
 * @throws WireError where the bytes are none
 */
export function readExport(bytes: Buffer): ExportRequest {
  const spans: ReceivedSpan[] = [];
  let rejected = 0;
  const fields = new Reader(bytes);
  while (fields.next()) {
    if (fields.field !== 1) continue;
    const service = serviceOf(fields.message());
    const resourceSpans = fields.message();
    while (resourceSpans.next()) {
      if (resourceSpans.field !== 2) continue;
      const scopeSpans = resourceSpans.message();
      while (scopeSpans.next()) {
        if (scopeSpans.field !== 2) continue;
        const traceId = traceIdOf(scopeSpans.message());
        if (traceId === undefined) rejected++;
        else spans.push({ traceId, service, bytes: copyOf(scopeSpans) });
      }
    }
  }
  return { spans, rejected };
}

/** A slice would keep all of the message that it came in. */
function copyOf({ bytes, start, end }: WireReader): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

function serviceOf(resourceSpans: WireReader): string {
  let service = '';
  while (resourceSpans.next()) {
    if (resourceSpans.field !== 1) continue;
    const resource = resourceSpans.message();
    while (resource.next()) {
      if (resource.field !== 1) continue;
      const [key, value] = readAttribute(resource.message());
      if (key === 'service.name') service = String(value);
    }
  }
  return service;
}

const identity = { traceBytes: 16, spanBytes: 8 } as const;

/** @returns undefined where it is not one that the specification allows */
function traceIdOf(span: WireReader): string | undefined {
  let traceId: string | undefined;
  let hasId = false;
  while (span.next()) {
    const length = span.end - span.start;
    if (span.field === 1 && length === identity.traceBytes) traceId = hexOf(span);
    else if (span.field === 2) hasId = length === identity.spanBytes;
  }
  return hasId && traceId !== undefined && /[^0]/.test(traceId) ? traceId : undefined;
}

function hexOf({ bytes, start, end }: WireReader): string {
  return bytes.toString('hex', start, end);
}

export type SpanKind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';

const kinds: readonly (SpanKind | undefined)[] = [undefined, undefined, 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** What a span says. */
export interface OtlpSpan {
  readonly spanId: string;
  /** '' where it is the root. */
  readonly parentId: string;
  readonly name: string;
  /** Undefined where it is internal. */
  readonly kind: SpanKind | undefined;
  /** Microseconds since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly events: readonly { readonly timeUs: number; readonly name: string }[];
  readonly isError: boolean;
  readonly statusMessage: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws WireError where the bytes are none */
export function readSpan(bytes: Buffer): OtlpSpan {
  const attributes = new Map<string, AttributeValue>();
  const events: { timeUs: number; name: string }[] = [];
  const span: Writable<OtlpSpan> = {
    ...{ spanId: '', parentId: '', name: '', kind: undefined, startUs: 0, endUs: 0 },
    ...{ attributes, events, isError: false, statusMessage: '' },
  };
  const fields = new Reader(bytes);
  while (fields.next()) readField(fields, span, attributes, events);
  return span;
}

function readField(
  fields: WireReader,
  span: Writable<OtlpSpan>,
  attributes: Map<string, AttributeValue>,
  events: { timeUs: number; name: string }[],
): void {
  switch (fields.field) {
    case 2:
      span.spanId = hexOf(fields);
      break;
    case 4:
      span.parentId = hexOf(fields);
      break;
    case 5:
      span.name = fields.text();
      break;
    case 6:
      span.kind = kinds[fields.number];
      break;
    case 7:
      span.startUs = microseconds(fields);
      break;
    case 8:
      span.endUs = microseconds(fields);
      break;
    case 9:
      attributes.set(...readAttribute(fields.message()));
      break;
    case 11:
      events.push(readEvent(fields.message()));
      break;
    case 15:
      readStatus(fields.message(), span);
      break;
    default:
  }
}

/** A fixed64 of nanoseconds. */
function microseconds({ bytes, start, end }: WireReader): number {
  if (end - start !== 8) throw new WireError('a time is no fixed64');
  return Number(bytes.readBigUInt64LE(start) / 1000n);
}

function readEvent(fields: WireReader): { timeUs: number; name: string } {
  const event = { timeUs: 0, name: '' };
  while (fields.next()) {
    if (fields.field === 1) event.timeUs = microseconds(fields);
    else if (fields.field === 2) event.name = fields.text();
  }
  return event;
}

const statusError = 2;

function readStatus(fields: WireReader, span: Writable<OtlpSpan>): void {
  while (fields.next()) {
    if (fields.field === 2) span.statusMessage = fields.text();
    else if (fields.field === 3) span.isError = fields.number === statusError;
  }
}
