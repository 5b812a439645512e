import { beforeEach, describe, expect, it } from '@jest/globals';
import { EdgeTotals, type EdgeData } from '../edges/edge-totals.js';
import type { GraphPartial, GraphStore } from '../store/graph-store.js';
import { coarse, fine } from '../windows/levels.js';
import { request } from './observations.js';

/** A store that is empty. @param now milliseconds since 1970 */
export type GraphStoreFactory = (now: number) => Promise<GraphStore>;

function edgeData(destination: string, requests: number): EdgeData {
  const observed = request('productpage-v1', destination);
  const totals = new EdgeTotals(observed.edge);
  for (let i = 0; i < requests; i++) totals.add(observed);
  return totals.toData();
}

const found = (partials: readonly GraphPartial[]) =>
  partials
    .flatMap(({ replica, start, edges }) =>
      edges.map(({ edge, reports }) => [replica, start, edge.destination.workload, reports.destination?.requests]),
    )
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** The behaviour every `GraphStore` has, whatever keeps its data. Call it at the top of a spec file. @param clock `Date.now` */
export function describeGraphStore(name: string, clock: () => number, factory: GraphStoreFactory): void {
  describe(`${name}: the contract of a graph store`, () => {
    const coarseStart = Math.floor(clock() / coarse.widthMs) * coarse.widthMs;
    const now = coarseStart + 100_000;
    const start = now - fine.widthMs;
    const { widthMs } = fine;
    let store: GraphStore;
    const write = (replica: string, at: number, ...edges: EdgeData[]) =>
      store.write([{ replica, widthMs, start: at, edges }]);
    beforeEach(async () => {
      store = await factory(now);
    });

    it('starts empty', async () => {
      expect(await store.read(widthMs, 0, now)).toEqual([]);
      expect(await store.keptFrom(widthMs)).toBeLessThanOrEqual(now - fine.keepMs);
      expect(await store.keptFrom(coarse.widthMs)).toBeLessThanOrEqual(now - coarse.keepMs);
    });

    it('gives back what was written, whole', async () => {
      const data = edgeData('reviews-v1', 3);
      await write('a', start, data);
      expect(await store.read(widthMs, start, now)).toEqual([{ replica: 'a', widthMs, start, edges: [data] }]);
    });

    it('keeps replicas, windows and widths apart', async () => {
      await write('a', start, edgeData('reviews-v1', 1));
      await write('b', start, edgeData('reviews-v1', 2));
      await write('a', start - widthMs, edgeData('reviews-v1', 3));
      await store.write([
        { replica: 'a', widthMs: coarse.widthMs, start: coarseStart, edges: [edgeData('reviews-v1', 4)] },
      ]);
      expect(found(await store.read(widthMs, start, now))).toEqual([
        ['a', start, 'reviews-v1', 1],
        ['b', start, 'reviews-v1', 2],
      ]);
      expect(found(await store.read(widthMs, start - widthMs, start))).toEqual([
        ['a', start - widthMs, 'reviews-v1', 3],
      ]);
      expect(found(await store.read(coarse.widthMs, 0, now))).toEqual([['a', coarseStart, 'reviews-v1', 4]]);
    });

    it('replaces what a replica has said of an edge, and leaves its other edges', async () => {
      await write('a', start, edgeData('reviews-v1', 1), edgeData('ratings-v1', 1));
      await write('a', start, edgeData('reviews-v1', 5));
      await write('a', start, edgeData('reviews-v1', 5));
      expect(found(await store.read(widthMs, start, now))).toEqual([
        ['a', start, 'ratings-v1', 1],
        ['a', start, 'reviews-v1', 5],
      ]);
    });

    it('takes many partials at once, and none', async () => {
      const back = (windows: number): number => start - windows * widthMs;
      const starts = Array.from({ length: 50 }, (_, i) => back(i));
      await store.write(
        starts.flatMap((at) =>
          ['a', 'b'].map((replica) => ({ replica, widthMs, start: at, edges: [edgeData('reviews-v1', 1)] })),
        ),
      );
      await store.write([]);
      expect(await store.read(widthMs, back(49), now)).toHaveLength(100);
      expect(await store.read(widthMs, back(9), back(4))).toHaveLength(10);
    });
  });
}
