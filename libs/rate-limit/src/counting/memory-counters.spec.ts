import { describe, expect, it } from '@jest/globals';
import type { Hit } from './counters.js';
import type { Limit } from './limit.js';
import { MemoryCounters } from './memory-counters.js';
import { SharedCounters } from './shares.js';

const perSecond = (requests: number): Limit => ({ requests, windowMs: 1000, algorithm: 'FIXED_WINDOW' });
const hit = (key: string, requests: number, exact = false): Hit => ({
  key,
  limit: perSecond(requests),
  hits: 1,
  exact,
});

describe('counters in memory', () => {
  it('keep keys apart', () => {
    const counters = new MemoryCounters();
    expect(counters.count([hit('a', 1), hit('b', 1), hit('a', 1)], 0).map(({ allowed }) => allowed)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('forget what has expired, and beyond their bound what was unused for longest', () => {
    const counters = new MemoryCounters(100);
    for (let i = 0; i < 1000; i++) counters.count([hit(`k${i}`, 1)], 0);
    expect(counters.size).toBe(100);
    expect(counters.count([hit('k999', 1), hit('k0', 1)], 0).map(({ allowed }) => allowed)).toEqual([false, true]);
    for (let i = 0; i < 100; i++) counters.count([hit(`new${i}`, 1)], 5000);
    expect(counters.size).toBeLessThanOrEqual(100);
    for (let i = 0; i < 200; i++) counters.count([hit(`newer${i % 20}`, 1)], 9000);
    expect(counters.size).toBeLessThan(100);
  });
});

describe('counters that take shares', () => {
  it('of many replicas together let through exactly what they took, never more than the limit, and little less', async () => {
    const requests = 10_000;
    const store = new MemoryCounters();
    const replicas = Array.from({ length: 10 }, () => new SharedCounters(store, { replicas: 10 }));
    let passed = 0;
    for (let i = 0; i < 3000; i++)
      for (const replica of replicas)
        passed += (await replica.count([hit('k', requests)], 500))[0]?.allowed === true ? 1 : 0;
    expect(passed).toBeLessThanOrEqual(requests);
    expect(passed).toBeGreaterThan(requests * 0.99);
  });

  it('ask the store once for many requests', async () => {
    let asked = 0;
    const store = new MemoryCounters();
    const counting = { count: (hits: readonly Hit[], now: number) => (asked++, store.count(hits, now)) };
    const counters = new SharedCounters(counting, { replicas: 1 });
    await Promise.all(Array.from({ length: 500 }, () => counters.count([hit('k', 10_000)], 0)));
    expect(asked).toBeLessThan(10);
  });

  it.each([
    ['what is exact', 10_000, true],
    ['small limits', 99, false],
  ])('count %s in the store, one by one', async (_, requests, exact) => {
    let asked = 0;
    const store = new MemoryCounters();
    const counting = { count: (hits: readonly Hit[], now: number) => ((asked += hits.length), store.count(hits, now)) };
    const counters = new SharedCounters(counting, { replicas: 1 });
    const all = await Promise.all(Array.from({ length: 200 }, () => counters.count([hit('k', requests, exact)], 0)));
    expect(asked).toBe(200);
    expect(all.filter(([verdict]) => verdict?.allowed).length).toBe(Math.min(200, requests));
  });

  it('say so when the store fails, and ask again for the next', async () => {
    let fails = true;
    const store = new MemoryCounters();
    const failing = {
      count: (hits: readonly Hit[], now: number) =>
        fails ? Promise.reject(new Error('gone')) : Promise.resolve(store.count(hits, now)),
    };
    const counters = new SharedCounters(failing, { replicas: 1 });
    await expect(counters.count([hit('k', 1000)], 0)).rejects.toThrow('gone');
    fails = false;
    expect((await counters.count([hit('k', 1000)], 0))[0]?.allowed).toBe(true);
  });
});
