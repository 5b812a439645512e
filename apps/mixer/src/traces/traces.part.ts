import { GrpcError, GrpcStatus, unary } from '@seine/h2grpc';
import { WireError } from '../check/wire.js';
import type { MixerPart } from '../part.js';
import { type ExportRequest, readExport } from './otlp-request.js';
import type { TraceStore } from './trace-store.js';

const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const empty = Buffer.alloc(0);

export interface TracesOptions {
  readonly store: Pick<TraceStore, 'add'>;
  readonly counted: (result: 'taken' | 'rejected', spans: number) => void;
  readonly onError: (error: unknown) => void;
}

/** OpenTelemetry's receiver of spans, by gRPC: keeps what it is sent. */
export function tracesPart({ store, counted, onError }: TracesOptions): MixerPart {
  const receive = (bytes: Buffer): Buffer => {
    const { spans, rejected: unknown } = read(bytes);
    const rejected = unknown + spans.filter((span) => !store.add(span)).length;
    const taken = spans.length + unknown - rejected;
    if (taken > 0) counted('taken', taken);
    if (rejected === 0) return empty;
    counted('rejected', rejected);
    return partialSuccess(rejected, 'spans without trace_id or span_id, or too many of one trace');
  };
  // Who proves no identity where others do is refused before anything is read.
  return {
    endpoints: [
      {
        path,
        handle: (stream, callerOf) =>
          unary((bytes, call) => {
            callerOf(call);
            return receive(bytes);
          }, onError)(stream),
      },
    ],
  };
}

function read(bytes: Buffer): ExportRequest {
  try {
    return readExport(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, `this is no ExportTraceServiceRequest: ${error.message}`);
  }
}

/** An ExportTraceServiceResponse: `partial_success` with `rejected_spans` and `error_message`. */
function partialSuccess(rejected: number, message: string): Buffer {
  const text = Buffer.from(message);
  const inner = Buffer.concat([Buffer.from([1 << 3, ...varint(rejected), (2 << 3) | 2, ...varint(text.length)]), text]);
  return Buffer.concat([Buffer.from([(1 << 3) | 2, ...varint(inner.length)]), inner]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
