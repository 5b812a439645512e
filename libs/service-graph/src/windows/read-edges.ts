import { EdgeTable } from '../edges/edge-table.js';
import type { GraphPartial, GraphStore } from '../store/graph-store.js';
import { fine, windowsOf, windowStart } from './levels.js';

/** So many edges a graph has at most; the rest is one, `other`. */
const maxEdges = 5000;

/** Edges of a stretch of time, of all mixers together. */
export interface EdgesRead {
  readonly table: EdgeTable;
  /** The time that the windows cover, milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** When the first of the windows that hold anything began; undefined where none does. */
  readonly firstStart: number | undefined;
  readonly replicas: number;
}

/**
 * Edges of all that was reported in a time, milliseconds since 1970; in whole windows, so a little more at both ends.
 * @throws Error where the store cannot be reached
 */
export async function readEdges(store: GraphStore, from: number, to: number): Promise<EdgesRead> {
  const ranges = windowsOf(from, to, await store.keptFrom(fine.widthMs));
  const reads = ranges.map((range) => store.read(range.level.widthMs, range.from, range.to));
  const partials = (await Promise.all(reads)).flat();
  const [first, last] = [ranges[0], ranges.at(-1)];
  const end = last ? windowStart(last.to - 1, last.level) + last.level.widthMs : to;
  return mergePartials(partials, first?.from ?? from, end);
}

/** @param from since when these are all there is @param to up to when */
export function mergePartials(partials: readonly GraphPartial[], from: number, to: number): EdgesRead {
  const table = new EdgeTable(maxEdges);
  for (const { edges } of partials) for (const edge of edges) table.merge(edge);
  const starts = partials.map(({ start }) => start);
  return {
    table,
    from,
    to,
    firstStart: starts.length === 0 ? undefined : starts.reduce((a, b) => Math.min(a, b)),
    replicas: new Set(partials.map(({ replica }) => replica)).size,
  };
}
