/** One series: a metric with values for its labels. Who counts keeps it, and needs not find it by its labels again. */
export interface Series {
  /** Adds to a counter, sets a gauge, goes into a bucket of a histogram. */
  record(value: number): void;
  /** As `SeriesStore.expire` last said the time was when somebody recorded, or asked for the series. */
  usedAt: number;
}

/** What time it is, as far as series care. */
export interface UseClock {
  now: number;
}

/** A series that can be written. */
export interface WrittenSeries extends Series {
  /** Lines of Prometheus's text format. */
  write(): string;
}

/** A counter or a gauge. */
export class NumberSeries implements WrittenSeries {
  usedAt: number;
  #value = 0;

  /** @param key name and labels as they are written: `istio_requests_total{reporter="source"}` */
  constructor(
    private readonly key: string,
    private readonly adds: boolean,
    private readonly clock: UseClock,
  ) {
    this.usedAt = clock.now;
  }

  record(value: number): void {
    this.#value = this.adds ? this.#value + value : value;
    this.usedAt = this.clock.now;
  }

  write(): string {
    return `${this.key} ${formatNumber(this.#value)}\n`;
  }
}

/** How many values were not above each of the bounds, and their sum. */
export class HistogramSeries implements WrittenSeries {
  usedAt: number;
  readonly #counts: Float64Array;
  #sum = 0;

  /**
   * @param labels as they are written, without braces: `reporter="source"`
   * @param bounds upper bounds, ascending, without +Inf
   */
  constructor(
    private readonly name: string,
    private readonly labels: string,
    private readonly bounds: Float64Array,
    private readonly clock: UseClock,
  ) {
    this.#counts = new Float64Array(bounds.length + 1);
    this.usedAt = clock.now;
  }

  record(value: number): void {
    const { bounds } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (bounds[middle] ?? Infinity)) high = middle;
      else low = middle + 1;
    }
    this.#counts[low] = (this.#counts[low] ?? 0) + 1;
    this.#sum += value;
    this.usedAt = this.clock.now;
  }

  write(): string {
    const { name, labels, bounds } = this;
    const bucket = `${name}_bucket{${labels === '' ? '' : `${labels},`}le="`;
    const braces = labels === '' ? '' : `{${labels}}`;
    let text = '';
    let count = 0;
    this.#counts.forEach((inBucket, i) => {
      count += inBucket;
      text += `${bucket}${formatNumber(bounds[i] ?? Infinity)}"} ${count}\n`;
    });
    return `${text}${name}_sum${braces} ${formatNumber(this.#sum)}\n${name}_count${braces} ${count}\n`;
  }
}

function formatNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
