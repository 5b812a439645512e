import type { KeyValue } from '../otlp/otlp.js';

export type MetricKind = 'GAUGE' | 'COUNTER' | 'DISTRIBUTION';

export interface AggregateOptions {
  readonly kind: MetricKind;
  /** Upper bounds of a distribution's buckets, without infinity. */
  readonly bounds: readonly number[];
  /** So many points there may be; what comes beyond is put together in one that says so. */
  readonly maxPoints: number;
  readonly now: () => number;
}

interface Point {
  readonly attributes: readonly KeyValue[];
  readonly since: number;
  sum: number;
  count: number;
  readonly buckets: number[];
}

/** What OpenTelemetry's SDKs call the point of all that there was no room for. */
const overflow: readonly KeyValue[] = [{ key: 'otel.metric.overflow', value: { boolValue: true } }];
const overflowKey = '\0overflow';

/** The points of one metric, from its beginning on (cumulative temporality). */
export class Aggregate {
  readonly #points = new Map<string, Point>();

  constructor(private readonly options: AggregateOptions) {}

  get size(): number {
    return this.#points.size;
  }

  /** @param attributes made only where the point is new */
  record(key: string, attributes: () => readonly KeyValue[], value: number): void {
    const point = this.#points.get(key) ?? this.#make(key, attributes);
    point.count++;
    if (this.options.kind === 'GAUGE') {
      point.sum = value;
      return;
    }
    point.sum += value;
    if (this.options.kind === 'DISTRIBUTION') {
      const { bounds } = this.options;
      let i = 0;
      while (i < bounds.length && value > (bounds[i] ?? Infinity)) i++;
      point.buckets[i] = (point.buckets[i] ?? 0) + 1;
    }
  }

  all(): Iterable<Readonly<Point>> {
    return this.#points.values();
  }

  #make(key: string, attributes: () => readonly KeyValue[]): Point {
    const full = this.#points.size >= this.options.maxPoints;
    const known = full ? this.#points.get(overflowKey) : undefined;
    if (known) return known;
    const { kind, bounds, now } = this.options;
    const buckets = kind === 'DISTRIBUTION' ? Array<number>(bounds.length + 1).fill(0) : [];
    const point = { attributes: full ? overflow : attributes(), since: now(), sum: 0, count: 0, buckets };
    this.#points.set(full ? overflowKey : key, point);
    return point;
  }
}
