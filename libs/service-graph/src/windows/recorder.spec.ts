import { describe, expect, it } from '@jest/globals';
import { MemoryGraphStore } from '../store/memory-graph-store.js';
import { request } from '../testing/observations.js';
import { coarse, fine } from './levels.js';
import { readEdges } from './read-edges.js';
import { GraphRecorder } from './recorder.js';

const start = 1000 * coarse.widthMs;

describe('GraphRecorder', () => {
  it('hands out only what has changed, with all of its window', () => {
    const recorder = new GraphRecorder('a');
    recorder.observe(request('a', 'b'), start);
    recorder.observe(request('a', 'c'), start + 1);
    expect(recorder.take(start + 2).partials).toMatchObject([{ replica: 'a', start, edges: [{}, {}] }]);
    expect(recorder.take(start + 2).partials).toEqual([]);
    recorder.observe(request('a', 'b'), start + 3);
    expect(recorder.take(start + 4).partials).toMatchObject([
      { start, widthMs: fine.widthMs, edges: [{ reports: { destination: { requests: 2 } } }] },
    ]);
  });

  it('hands out a coarse window with each fine one that ends', () => {
    const recorder = new GraphRecorder('a');
    for (let at = start; at < start + coarse.widthMs + 20_000; at += 5000) recorder.observe(request('a', 'b'), at);
    const { partials } = recorder.take(start + coarse.widthMs + 20_000);
    const requestsIn = (widthMs: number, from: number) =>
      partials.find((p) => p.widthMs === widthMs && p.start === from)?.edges[0]?.reports.destination?.requests;
    expect(requestsIn(coarse.widthMs, start)).toBe(60);
    expect(requestsIn(coarse.widthMs, start + coarse.widthMs)).toBe(4);
    expect(requestsIn(fine.widthMs, start)).toBe(2);
  });

  it('keeps what could not be written, for ten minutes', () => {
    const recorder = new GraphRecorder('a');
    recorder.observe(request('a', 'b'), start);
    recorder.take(start).putBack();
    recorder.observe(request('a', 'b'), start + 10_000);
    const taken = recorder.take(start + 10_000);
    expect(taken.partials.filter(({ widthMs }) => widthMs === fine.widthMs).map((p) => p.start)).toEqual([
      start,
      start + 10_000,
    ]);
    taken.putBack();
    for (let at = start; at < start + 100 * 60_000; at += 10_000) {
      recorder.observe(request('a', 'b'), at);
      recorder.take(at).putBack();
    }
    expect(recorder.take(start + 100 * 60_000).partials.length).toBeLessThan(65);
    expect(recorder.lost).toBeGreaterThan(500);
  });

  it('tells so many edges apart and counts the rest as one', () => {
    const recorder = new GraphRecorder('a', 3);
    for (let i = 0; i < 10; i++) recorder.observe(request('a', `b${i}`), start);
    const edges = recorder.take(start).partials[0]?.edges ?? [];
    expect(edges.map(({ edge, reports }) => [edge.destination.workload, reports.destination?.requests])).toEqual([
      ['b0', 1],
      ['b1', 1],
      ['b2', 1],
      ['other', 7],
    ]);
  });

  it('cuts names that are too long', () => {
    const recorder = new GraphRecorder('a');
    const long = 'x'.repeat(1_000_000);
    recorder.observe(request(long, long), start);
    recorder.observe(request(`${long}y`, long), start);
    const { partials } = recorder.take(start);
    expect(JSON.stringify(partials).length).toBeLessThan(3000);
    expect(partials[0]?.edges).toHaveLength(1);
  });
});

it('counts the same whatever mixers took it, over hours and their coarse windows', async () => {
  let now = start;
  const store = new MemoryGraphStore({ now: () => now });
  const recorders = ['a', 'b', 'c'].map((replica) => new GraphRecorder(replica));
  for (let i = 0; now < start + 3 * 3_600_000; i++, now += 1700) {
    recorders[i % 3]!.observe(request('client', `r${i % 2}`), now);
    if (i % 100 === 0) for (const recorder of recorders) await store.write(recorder.take(now).partials);
  }
  for (const recorder of recorders) await store.write(recorder.take(now).partials);
  const expected = Math.ceil((3 * 3_600_000) / 1700);
  const { table, replicas, firstStart } = await readEdges(store, start, now);
  const requests = [...table.edges.values()].map((edge) => edge.report('destination')?.requests ?? 0);
  expect(requests.reduce((a, b) => a + b)).toBe(expected);
  expect([table.size, replicas, firstStart]).toEqual([2, 3, start]);
});
