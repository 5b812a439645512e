import { WireError } from '../check/wire.js';
import type { ReceivedSpan } from './otlp-request.js';
import { type ZipkinSpan, zipkinSpan } from './zipkin-span.js';

export interface TraceBounds {
  readonly traces: number;
  /** Of all spans together. */
  readonly bytes: number;
  /** What comes beyond is not kept. */
  readonly spansPerTrace: number;
  readonly bytesPerTrace: number;
}

const mebibyte = 1024 * 1024;
export const defaultBounds: TraceBounds = {
  traces: 20_000,
  bytes: 64 * mebibyte,
  spansPerTrace: 2000,
  bytesPerTrace: 4 * mebibyte,
};

/** What a span takes besides its own bytes. */
const overheadBytes = 200;

interface Trace {
  readonly spans: ReceivedSpan[];
  readonly services: Set<string>;
  bytes: number;
}

/** Which traces are asked for, as Zipkin's API has it. Absent = any. */
export interface TraceQuery {
  readonly serviceName?: string | undefined;
  readonly spanName?: string | undefined;
  /** Tags that one span of the trace must have, with a value or with any. */
  readonly tags?: readonly { readonly key: string; readonly value?: string | undefined }[] | undefined;
  /** Microseconds, of one span. */
  readonly minDuration?: number | undefined;
  readonly maxDuration?: number | undefined;
  /** Milliseconds since 1970, of the trace's begin. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
}

/** The traces that came last, in memory; the oldest go when there are too many, or too much of them. */
export class TraceStore {
  /** By ID, the oldest first. */
  readonly #traces = new Map<string, Trace>();
  #bytes = 0;
  #evicted = 0;

  constructor(private readonly bounds: TraceBounds = defaultBounds) {}

  get size(): number {
    return this.#traces.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Traces that went for newer ones. */
  get evicted(): number {
    return this.#evicted;
  }

  /** @returns whether it is kept: no trace has more than so many spans */
  add(span: ReceivedSpan): boolean {
    const { spansPerTrace, bytesPerTrace } = this.bounds;
    const size = span.bytes.length + 2 * span.service.length + overheadBytes;
    let trace = this.#traces.get(span.traceId);
    if ((trace?.spans.length ?? 0) >= spansPerTrace || (trace?.bytes ?? 0) + size > bytesPerTrace) return false;
    if (!trace) this.#traces.set(span.traceId, (trace = { spans: [], services: new Set(), bytes: 0 }));
    trace.spans.push(span);
    if (span.service !== '') trace.services.add(span.service.toLowerCase());
    trace.bytes += size;
    this.#bytes += size;
    this.#evict();
    return true;
  }

  /** The spans of a trace by their begin; empty where there is none. @param id 32 hex digits, or 16 where it has no more */
  trace(id: string): readonly ZipkinSpan[] {
    const trace = this.#traces.get(id.toLowerCase().padStart(32, '0'));
    return trace ? spansOf(trace) : [];
  }

  /** Traces that fit, the newest first. */
  find(query: TraceQuery): readonly (readonly ZipkinSpan[])[] {
    const found: (readonly ZipkinSpan[])[] = [];
    const service = query.serviceName?.toLowerCase();
    for (const trace of [...this.#traces.values()].reverse()) {
      if (found.length >= query.limit) break;
      if (service !== undefined && !trace.services.has(service)) continue;
      const spans = spansOf(trace);
      if (fits(spans, { ...query, serviceName: service })) found.push(spans);
    }
    return found;
  }

  services(): readonly string[] {
    return [...new Set([...this.#traces.values()].flatMap(({ services }) => [...services]))].sort();
  }

  /** The names that spans of a service have. */
  spanNames(service: string): readonly string[] {
    const spans = this.find({ serviceName: service, limit: namesFrom }).flat();
    const own = spans.filter(({ localEndpoint }) => localEndpoint.serviceName === service.toLowerCase());
    return [...new Set(own.map(({ name }) => name))].sort();
  }

  #evict(): void {
    for (const [id, { bytes }] of this.#traces) {
      const isFull = this.#traces.size > this.bounds.traces || this.#bytes > this.bounds.bytes;
      if (!isFull || this.#traces.size === 1) return;
      this.#traces.delete(id);
      this.#bytes -= bytes;
      this.#evicted++;
    }
  }
}

/** So many traces are read for the names of spans. */
const namesFrom = 1000;

function spansOf(trace: Trace): readonly ZipkinSpan[] {
  return trace.spans.flatMap(readable).sort((a, b) => a.timestamp - b.timestamp);
}

/** None where its bytes are broken inside: the others of its trace are still worth to be seen. */
function readable(span: ReceivedSpan): readonly ZipkinSpan[] {
  try {
    return [zipkinSpan(span)];
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}

function fits(spans: readonly ZipkinSpan[], query: TraceQuery): boolean {
  const { serviceName, spanName, tags = [], minDuration = 0, maxDuration = Infinity, from = 0, to = Infinity } = query;
  const [first] = spans;
  if (!first || first.timestamp < from * 1000 || first.timestamp > to * 1000) return false;
  return spans.some(
    ({ name, duration, localEndpoint, tags: own }) =>
      (serviceName === undefined || localEndpoint.serviceName === serviceName) &&
      (spanName === undefined || name === spanName.toLowerCase()) &&
      duration >= minDuration &&
      duration <= maxDuration &&
      tags.every(({ key, value }) => own[key] !== undefined && (value === undefined || own[key] === value)),
  );
}
