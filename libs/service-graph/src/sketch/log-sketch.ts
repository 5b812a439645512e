/** What a sketch is in a store: plain JSON. */
export interface SketchData {
  readonly sum: number;
  readonly max: number;
  /** Index and count in turns, by rising index. */
  readonly buckets: readonly number[];
}

/** Largest error of a quantile, of its value: 1 %. */
const relativeError = 0.01;
const gamma = (1 + relativeError) / (1 - relativeError);
const perLog = 1 / Math.log(gamma);
/** What is below or beyond is counted as if it were at the bound, in milliseconds: 10 µs and a day. */
const [lowest, highest] = [0.01, 86_400_000];
const [lowestIndex, highestIndex] = [lowest, highest].map((value) => Math.ceil(Math.log(value) * perLog)) as [
  number,
  number,
];

/** So many buckets a sketch can have at most. */
export const maxBuckets = highestIndex - lowestIndex + 1;

function indexOf(value: number): number {
  // Not `value < lowest`: NaN is nothing, too.
  if (!(value > lowest)) return lowestIndex;
  return value >= highest ? highestIndex : Math.ceil(Math.log(value) * perLog);
}

/**
 * A distribution of positive values (milliseconds) in buckets whose bounds grow by 2 % (as DDSketch has them): any
 * quantile is found to within 1 % of its value, two sketches add up to the one of all values, and however many values
 * there are, there are no more than 1,140 buckets, of which those that hold nothing cost nothing.
 */
export class LogSketch {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  get max(): number {
    return this.#max;
  }

  /** 0 where there is no value. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** @param value what is no positive number counts as 0 */
  add(value: number): void {
    const index = indexOf(value);
    this.#buckets.set(index, (this.#buckets.get(index) ?? 0) + 1);
    this.#count++;
    if (!(value > 0)) return;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  merge(other: LogSketch): void {
    for (const [index, count] of other.#buckets) this.#buckets.set(index, (this.#buckets.get(index) ?? 0) + count);
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The value that so large a share of all is not above; 0 where there is none. @param share 0.99 */
  quantile(share: number): number {
    if (this.#count === 0) return 0;
    let rank = Math.max(1, Math.ceil(share * this.#count));
    for (const [index, count] of this.#sorted()) {
      rank -= count;
      if (rank <= 0) return Math.min((2 * gamma ** index) / (gamma + 1), this.#max);
    }
    return this.#max;
  }

  toData(): SketchData {
    return { sum: this.#sum, max: this.#max, buckets: this.#sorted().flat() };
  }

  /** What is not as `toData` makes it is left out. */
  static from({ sum, max, buckets }: SketchData): LogSketch {
    const sketch = new LogSketch();
    for (let i = 0; i + 1 < buckets.length; i += 2) {
      const [index = 0, count = 0] = [buckets[i], buckets[i + 1]];
      if (!Number.isInteger(index) || index < lowestIndex || index > highestIndex || !(count > 0)) continue;
      sketch.#buckets.set(index, (sketch.#buckets.get(index) ?? 0) + count);
      sketch.#count += count;
    }
    sketch.#sum = sum;
    sketch.#max = max;
    return sketch;
  }

  #sorted(): (readonly [index: number, count: number])[] {
    return [...this.#buckets].sort(([a], [b]) => a - b);
  }
}
