import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A span for tests; times in milliseconds since 1970. */
export interface SpanFixture {
  readonly traceId?: string;
  readonly id?: string;
  readonly parentId?: string;
  readonly name?: string;
  /** OpenTelemetry's number: 2 server, 3 client. */
  readonly kind?: number;
  readonly start?: number;
  readonly end?: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly events?: readonly { readonly time: number; readonly name: string }[];
  readonly status?: { readonly code: number; readonly message?: string };
}

type Write = (writer: BinaryWriter) => void;

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function bytes(writer: BinaryWriter, field: number, hex: string): void {
  writer.tag(field, WireType.LengthDelimited).bytes(Buffer.from(hex, 'hex'));
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function time(writer: BinaryWriter, field: number, ms: number): void {
  writer.tag(field, WireType.Bit64).fixed64(BigInt(ms) * 1_000_000n);
}

function anyValue(writer: BinaryWriter, value: string | number | boolean | readonly string[]): void {
  if (typeof value === 'string') text(writer, 1, value);
  else if (typeof value === 'boolean') writer.tag(2, WireType.Varint).bool(value);
  else if (typeof value === 'object')
    message(writer, 5, (array) => {
      for (const one of value) message(array, 1, (item) => anyValue(item, one));
    });
  else if (Number.isInteger(value)) writer.tag(3, WireType.Varint).int64(value);
  else writer.tag(4, WireType.Bit64).double(value);
}

function attribute(writer: BinaryWriter, field: number, key: string, value: Parameters<typeof anyValue>[1]): void {
  message(writer, field, (pair) => {
    text(pair, 1, key);
    message(pair, 2, (any) => anyValue(any, value));
  });
}

function writeSpan(writer: BinaryWriter, span: SpanFixture): void {
  const {
    traceId = '1'.repeat(32),
    id = '2'.repeat(16),
    parentId,
    name = 'GET',
    kind = 0,
    start = 1000,
    end = 1001,
  } = span;
  bytes(writer, 1, traceId);
  bytes(writer, 2, id);
  if (parentId !== undefined) bytes(writer, 4, parentId);
  text(writer, 5, name);
  writer.tag(6, WireType.Varint).int32(kind);
  time(writer, 7, start);
  time(writer, 8, end);
  for (const [key, value] of Object.entries(span.attributes ?? {})) attribute(writer, 9, key, value);
  for (const event of span.events ?? [])
    message(writer, 11, (inner) => {
      time(inner, 1, event.time);
      text(inner, 2, event.name);
    });
  const { status } = span;
  if (status)
    message(writer, 15, (inner) => {
      if (status.message !== undefined) text(inner, 2, status.message);
      inner.tag(3, WireType.Varint).int32(status.code);
    });
}

/** An ExportTraceServiceRequest of one service, by a writer that is not ours. */
export function exportRequest(service: string, ...spans: readonly SpanFixture[]): Buffer {
  const writer = new BinaryWriter();
  message(writer, 1, (resourceSpans) => {
    message(resourceSpans, 1, (resource) => {
      attribute(resource, 1, 'telemetry.sdk.language', 'cpp');
      attribute(resource, 1, 'service.name', service);
    });
    message(resourceSpans, 2, (scopeSpans) => {
      message(scopeSpans, 1, (scope) => text(scope, 1, 'envoy'));
      for (const span of spans) message(scopeSpans, 2, (inner) => writeSpan(inner, span));
    });
  });
  return Buffer.from(writer.finish());
}
