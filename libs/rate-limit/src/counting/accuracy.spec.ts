import { describe, expect, it } from '@jest/globals';
import { simulate } from './accuracy.fixture.js';
import type { Algorithm } from './limit.js';

/** What each of ten replicas gets a second: 10,000, or half of all on one of them. */
const even = new Array<number>(10).fill(10_000);
const uneven = [50_000, ...new Array<number>(9).fill(5_555)];
/** Of a store near by, and of one that is slow at times. */
const latencies = [1, 1, 2, 1, 1, 3, 1, 15];
const cases = (['FIXED_WINDOW', 'SLIDING_WINDOW', 'TOKEN_BUCKET'] as const).flatMap(
  (algorithm): [Algorithm, number, string, readonly number[]][] => [
    [algorithm, 50_000, 'unevenly', uneven],
    [algorithm, 5_000, 'evenly', even],
  ],
);
/** How much may pass in the length of a window, in parts of the limit: a full bucket, and what flows into it. */
const fullestWindow: Readonly<Record<Algorithm, number>> = { FIXED_WINDOW: 1, SLIDING_WINDOW: 1.01, TOKEN_BUCKET: 2 };

describe('ten replicas that get 100,000 requests a second', () => {
  it.each(cases)(
    '%s of %i a second, %s spread: let through less than 1 %% more than one place would, and little less',
    async (algorithm, requests, _, load) => {
      const limit = { requests, windowMs: 1000, algorithm };
      const simulated = await simulate({ limit, exact: false, load, seconds: 2, latencies });
      const { passed, ideal, fullest, storeCalls } = simulated;
      expect(passed).toBeLessThan(ideal * 1.01);
      expect(passed).toBeGreaterThan(ideal * 0.99);
      expect(fullest).toBeLessThanOrEqual(fullestWindow[algorithm]);
      expect(storeCalls).toBeLessThan(0.05);
    },
  );
});
