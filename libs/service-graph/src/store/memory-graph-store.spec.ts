import { expect, it } from '@jest/globals';
import { describeGraphStore } from '../testing/graph-store-contract.js';
import { end } from '../testing/observations.js';
import { coarse, fine } from '../windows/levels.js';
import type { GraphPartial } from './graph-store.js';
import { MemoryGraphStore } from './memory-graph-store.js';

describeGraphStore('MemoryGraphStore', Date.now, (now) => Promise.resolve(new MemoryGraphStore({ now: () => now })));

const hour = 3_600_000;
const partial = (start: number, edges: number, widthMs = fine.widthMs): GraphPartial => ({
  replica: 'a',
  widthMs,
  start,
  edges: Array.from({ length: edges }, (_, i) => ({
    edge: { source: end('client'), destination: end(`d${i}-v1`), service: '', protocol: 'http' },
    reports: { destination: { requests: 1 } },
  })),
});

it('forgets what is older than its level is kept', async () => {
  let now = 100 * hour;
  const store = new MemoryGraphStore({ now: () => now });
  await store.write([partial(now, 3), partial(now, 3, coarse.widthMs), partial(now - 2 * hour, 3)]);
  expect(await store.read(fine.widthMs, 0, now + 1)).toHaveLength(1);
  now += hour + 1;
  expect(await store.read(fine.widthMs, 0, now)).toEqual([]);
  expect(await store.keptFrom(fine.widthMs)).toBe(now - hour);
  expect(await store.read(coarse.widthMs, 0, now)).toHaveLength(1);
  now += 24 * hour;
  expect(await store.read(coarse.widthMs, 0, now)).toEqual([]);
});

it('is bounded: narrow windows go first, the oldest before others, and it says so', async () => {
  const now = 100 * hour;
  const store = new MemoryGraphStore({ now: () => now, maxEdges: 10 });
  await store.write([partial(now - hour, 4, coarse.widthMs)]);
  const starts = [3, 2, 1, 0].map((i) => now - i * fine.widthMs);
  for (const start of starts) await store.write([partial(start, 3)]);
  const kept = await store.read(fine.widthMs, 0, now + 1);
  expect(kept.map(({ start }) => start)).toEqual(starts.slice(2));
  expect(await store.keptFrom(fine.widthMs)).toBe(starts[2]);
  expect(await store.read(coarse.widthMs, 0, now)).toHaveLength(1);
  // What has gone does not come back in part.
  await store.write([partial(starts[0]!, 1)]);
  expect(await store.read(fine.widthMs, 0, now + 1)).toHaveLength(2);
});
