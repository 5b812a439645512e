import { describe, expect, it } from '@jest/globals';
import type { Counters, Hit } from './counters.js';
import { FallbackCounters } from './fallback-counters.js';
import { MemoryCounters } from './memory-counters.js';
import { SharedCounters } from './shares.js';

const now = 1_700_000_000_000;
const hit = (requests: number, localFallback: boolean, key = 'k'): Hit => ({
  key,
  limit: { requests, windowMs: 60_000, algorithm: 'FIXED_WINDOW' },
  hits: 1,
  exact: true,
  localFallback,
});

/** A store that can be taken away. */
function fragile() {
  const memory = new MemoryCounters();
  const store = {
    isAway: false,
    asked: 0,
    count: (hits: readonly Hit[], at: number) => {
      store.asked++;
      return store.isAway ? Promise.reject(new Error('away')) : Promise.resolve(memory.count(hits, at));
    },
  };
  return store;
}

async function allowedOf(counters: Counters, one: Hit, times: number): Promise<number> {
  let allowed = 0;
  for (let i = 0; i < times; i++) if ((await counters.count([one], now))[0]?.allowed) allowed++;
  return allowed;
}

describe('counters that fall back on their own', () => {
  it('count in the store while it is there', async () => {
    const store = fragile();
    const told: number[] = [];
    const replicas = [0, 1].map(
      () => new FallbackCounters(store, { replicas: 2, onFallback: (hits) => told.push(hits) }),
    );
    expect(await allowedOf(replicas[0]!, hit(10, true), 7)).toBe(7);
    expect(await allowedOf(replicas[1]!, hit(10, true), 7)).toBe(3);
    expect(told).toEqual([]);
  });

  it.each([
    [10, 2, 5],
    [10, 3, 3],
    [2, 5, 1],
    [0, 2, 0],
  ])('let each through its part without the store: of %i by %i replicas %i', async (requests, replicas, part) => {
    const store = fragile();
    store.isAway = true;
    const told: number[] = [];
    const counters = new FallbackCounters(store, { replicas, onFallback: (hits) => told.push(hits) });
    expect(await allowedOf(counters, hit(requests, true), 20)).toBe(part);
    expect(told).toHaveLength(20);
  });

  it('say that they cannot count what may not be counted so, and go back to the store when it is there again', async () => {
    const store = fragile();
    store.isAway = true;
    const counters = new FallbackCounters(store, { replicas: 1 });
    await expect(counters.count([hit(10, false)], now)).rejects.toThrow('away');
    await expect(counters.count([hit(10, true), hit(10, false, 'other')], now)).rejects.toThrow('away');
    expect(await allowedOf(counters, hit(10, true), 4)).toBe(4);
    store.isAway = false;
    expect(await allowedOf(counters, hit(10, true), 20)).toBe(10);
  });

  it('ask a store that hangs once for all who wait for the same share', async () => {
    const store = { asked: 0, fail: undefined as ((error: Error) => void) | undefined };
    const hanging: Counters = {
      count: () =>
        new Promise((_, reject) => {
          store.asked++;
          store.fail = reject;
        }),
    };
    const shared = new SharedCounters(hanging, { replicas: 1 });
    const counters = new FallbackCounters(shared, { replicas: 1 });
    const answers = Promise.all(
      Array.from({ length: 50 }, () => counters.count([{ ...hit(1000, true), exact: false }], now)),
    );
    store.fail?.(new Error('too late'));
    expect((await answers).flat().every(({ allowed }) => allowed)).toBe(true);
    expect(store.asked).toBe(1);
  });
});
