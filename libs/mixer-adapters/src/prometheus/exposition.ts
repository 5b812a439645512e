import { type LabelCut, type SeriesFamily, SeriesStore } from '@seine/telemetry';

/** A metric as a handler defines it. */
export interface MetricDefinition {
  /** `istio_requests_total` */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly bounds: readonly number[] | undefined;
}

interface Entry {
  readonly signature: string;
  readonly store: SeriesStore;
  readonly family: SeriesFamily;
  /** Handlers that count there, each as often as it was made. */
  readonly users: string[];
}

export interface UsedMetric {
  readonly family: SeriesFamily;
  /** Forgets series that nobody has used for so long, ms. */
  readonly expire: (ageMs: number) => void;
  readonly release: () => void;
}

/**
 * The metrics of all handlers of adapter `prometheus`, as Prometheus reads them. A metric keeps its counts for as long as a
 * handler defines it, whatever else of the handler changes.
 */
export class PrometheusExposition {
  readonly #metrics = new Map<string, Entry>();

  /**
   * @param now milliseconds since 1970
   * @param maxSeries of one metric; of more, labels are cut to `other`
   */
  constructor(
    private readonly now: () => number = Date.now,
    private readonly maxSeries = 10_000,
  ) {}

  /**
   * The series of a metric, with the counts that are there if it was so defined before.
   * @param handler full name
   * @throws Error where another handler defines the same name otherwise
   */
  use(definition: MetricDefinition, handler: string, onCut: (cut: LabelCut) => void): UsedMetric {
    const { name } = definition;
    const signature = JSON.stringify(definition);
    let entry = this.#metrics.get(name);
    if (entry && entry.signature !== signature) {
      const other = entry.users.find((user) => user !== handler);
      if (other !== undefined)
        throw new Error(
          `handler ${other} defines the metric ${name} otherwise: its kind, labels and buckets must be the same`,
        );
      // A handler that defines its own metric anew: the counts of before mean something else.
      entry = undefined;
    }
    if (!entry) {
      const store = new SeriesStore({ now: this.now, onCut });
      const family = store.family({ ...definition, maxSeries: this.maxSeries });
      this.#metrics.set(name, (entry = { signature, store, family, users: [] }));
    }
    const used = entry;
    used.users.push(handler);
    return {
      family: used.family,
      expire: (ageMs) => used.store.expire(ageMs),
      release: () => this.#release(name, used, handler),
    };
  }

  /** Text format 0.0.4, in parts of whole series. */
  *write(): Iterable<string> {
    for (const { store } of this.#metrics.values()) yield* store.write();
  }

  text(): string {
    return [...this.write()].join('');
  }

  #release(name: string, entry: Entry, handler: string): void {
    const index = entry.users.indexOf(handler);
    if (index >= 0) entry.users.splice(index, 1);
    if (entry.users.length === 0 && this.#metrics.get(name) === entry) this.#metrics.delete(name);
  }
}
