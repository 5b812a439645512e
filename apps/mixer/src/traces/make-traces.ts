import { Counter, Gauge, type Registry } from 'prom-client';
import type { MixerPart } from '../part.js';
import { TraceStore } from './trace-store.js';
import { tracesPart } from './traces.part.js';

/** Traces that mixer keeps, counted. */
export function makeTraceStore(registry: Registry): TraceStore {
  const store = new TraceStore();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  };
  gauge('mixer_traces', 'Traces that are kept.', () => store.size);
  gauge('mixer_traces_bytes', 'What the traces that are kept take.', () => store.bytes);
  gauge('mixer_traces_evicted', 'Traces that went for newer ones.', () => store.evicted);
  return store;
}

/** What takes them. */
export function makeTracesPart(store: TraceStore, registry: Registry, onError: (error: unknown) => void): MixerPart {
  const spans = new Counter({
    name: 'mixer_spans_total',
    help: 'Spans that were sent; rejected: without an identity, or too many of one trace.',
    labelNames: ['result'],
    registers: [registry],
  });
  return tracesPart({ store, counted: (result, count) => spans.inc({ result }, count), onError });
}
