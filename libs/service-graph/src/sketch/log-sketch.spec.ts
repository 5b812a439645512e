import { describe, expect, it } from '@jest/globals';
import { LogSketch, maxBuckets } from './log-sketch.js';

/** A random generator that gives the same numbers in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return (state + 1) / 4_294_967_297;
  };
}

const shares = [0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

function exact(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
}

const sketchOf = (values: readonly number[]): LogSketch => {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  return sketch;
};

describe('LogSketch', () => {
  const random = randomFrom(7);
  it.each<[string, () => number]>([
    ['even values', () => 1 + random() * 1000],
    ['a long tail', () => 0.5 / random() ** 1.5],
    ['two humps', () => (random() < 0.9 ? 2 + random() : 300 + random() * 20)],
    ['orders of magnitude', () => 0.02 * 10 ** (random() * 8)],
    ['one value', () => 42],
  ])('finds quantiles to within 1 %% of their value: %s', (_, value) => {
    const values = Array.from({ length: 5000 }, value);
    const sketch = sketchOf(values);
    for (const share of shares) {
      const right = exact(values, share);
      expect([share, Math.abs(sketch.quantile(share) - right) / right <= 0.010_001]).toEqual([share, true]);
    }
    expect(sketch.count).toBe(5000);
    expect(sketch.mean).toBeCloseTo(values.reduce((a, b) => a + b) / 5000, 6);
    expect(sketch.max).toBe(Math.max(...values));
  });

  it('adds up to the sketch of all values', () => {
    const values = Array.from({ length: 3000 }, () => random() * 500);
    const whole = sketchOf(values);
    const parts = [values.slice(0, 100), values.slice(100, 101), values.slice(101), []].map(sketchOf);
    const merged = new LogSketch();
    for (const part of parts) merged.merge(LogSketch.from(JSON.parse(JSON.stringify(part.toData())) as never));
    expect(merged.toData().buckets).toEqual(whole.toData().buckets);
    expect([merged.count, merged.max]).toEqual([whole.count, whole.max]);
    expect(merged.sum).toBeCloseTo(whole.sum, 6);
  });

  it('is bounded, whatever it is given', () => {
    const sketch = new LogSketch();
    const odd = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER];
    for (const value of odd) sketch.add(value);
    for (let value = 1e-6; value < 1e12; value *= 1.001) sketch.add(value);
    expect(sketch.toData().buckets.length / 2).toBeLessThanOrEqual(maxBuckets);
    expect(maxBuckets).toBeLessThan(1200);
    expect(sketchOf([0, 0]).quantile(0.5)).toBe(0);
    expect(new LogSketch().quantile(0.5)).toBe(0);
  });

  it('reads data of others with care', () => {
    const data = { sum: 1, max: 1, buckets: [1e9, 5, 0.5, 1, 3, -1, 4, Number.NaN, 0, 2, 7] };
    expect(LogSketch.from(data).count).toBe(2);
  });
});
