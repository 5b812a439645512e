import { describe, expect, it } from '@jest/globals';
import { type Algorithm, count, type CountState, type Limit } from './limit.js';

const start = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);

/** Runs hits at times through one limit; gives what was allowed. */
function run(limit: Limit, hits: readonly (readonly [atMs: number, hits: number])[]) {
  let state: CountState | undefined;
  return hits.map(([at, n]) => {
    const counted = count(limit, state, n, start + at);
    state = counted.state;
    return counted;
  });
}

const limit = (requests: number, algorithm: Algorithm, windowMs = 60_000): Limit => ({ requests, windowMs, algorithm });
const allowed = (counted: ReturnType<typeof run>) => counted.map(({ verdict }) => verdict.allowed);

describe('counting', () => {
  it('lets through what the window has room for, and begins anew with the next', () => {
    const counted = run(limit(2, 'FIXED_WINDOW'), [
      [0, 1],
      [10_000, 1],
      [20_000, 1],
      [59_999, 1],
      [60_000, 1],
    ]);
    expect(allowed(counted)).toEqual([true, true, false, false, true]);
    expect(counted.map(({ verdict }) => [verdict.remaining, verdict.resetMs])).toEqual([
      [1, 60_000],
      [0, 50_000],
      [0, 40_000],
      [0, 1],
      [1, 60_000],
    ]);
    expect(counted[0]?.expiresAt).toBe(start + 60_000);
  });

  it('takes all of a hit that counts more than one, or nothing of it', () => {
    const counted = run(limit(10, 'FIXED_WINDOW'), [
      [0, 8],
      [1, 5],
      [2, 2],
      [3, 1],
    ]);
    expect(allowed(counted)).toEqual([true, false, true, false]);
  });

  it('does not open a window again when the clock goes back', () => {
    expect(
      allowed(
        run(limit(1, 'FIXED_WINDOW'), [
          [60_000, 1],
          [59_000, 1],
          [61_000, 1],
        ]),
      ),
    ).toEqual([true, false, false]);
  });

  it('lets the last window fade', () => {
    const counted = run(limit(10, 'SLIDING_WINDOW'), [
      [30_000, 10],
      [59_000, 1],
      // Of ten, nine and a half are left: half a minute later five.
      [63_000, 1],
      [90_000, 5],
      [90_000, 1],
      [240_000, 10],
    ]);
    expect(allowed(counted)).toEqual([true, false, false, true, false, true]);
  });

  it('gives requests back one by one', () => {
    const counted = run(limit(6, 'TOKEN_BUCKET'), [
      [0, 6],
      [9_999, 1],
      [10_000, 1],
      [10_000, 1],
      [70_000, 6],
      [70_000, 1],
    ]);
    expect(allowed(counted)).toEqual([true, false, true, false, true, false]);
    expect(counted[0]?.verdict).toEqual({ allowed: true, remaining: 0, resetMs: 60_000 });
  });

  it.each<Algorithm>(['FIXED_WINDOW', 'SLIDING_WINDOW', 'TOKEN_BUCKET'])('of 0 by %s lets nothing through', (a) => {
    expect(allowed(run(limit(0, a), [[0, 1]]))).toEqual([false]);
  });

  it.each<Algorithm>(['FIXED_WINDOW', 'SLIDING_WINDOW', 'TOKEN_BUCKET'])(
    '%s never lets through more than the limit from one start, however hits fall',
    (algorithm) => {
      let seed = 7;
      const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
      for (let round = 0; round < 200; round++) {
        const requests = 1 + random(20);
        const hits = Array.from({ length: 60 }, () => [random(60_000), 1 + random(3)] as const);
        hits.sort(([a], [b]) => a - b);
        const counted = run(limit(requests, algorithm), hits);
        const passed = counted.reduce((sum, { verdict }, i) => sum + (verdict.allowed ? (hits[i]?.[1] ?? 0) : 0), 0);
        // A bucket that starts full gives what comes back during the window on top.
        expect(passed).toBeLessThanOrEqual(algorithm === 'TOKEN_BUCKET' ? 2 * requests : requests);
      }
    },
  );
});
