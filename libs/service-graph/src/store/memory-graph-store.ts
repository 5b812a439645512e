import { edgeKey } from '../edges/observation.js';
import type { EdgeData } from '../edges/edge-totals.js';
import { levels } from '../windows/levels.js';
import type { GraphPartial, GraphStore } from './graph-store.js';

interface Kept {
  readonly widthMs: number;
  readonly start: number;
  readonly edges: Map<string, Map<string, EdgeData>>;
  size: number;
}

export interface MemoryGraphStoreOptions {
  readonly now: () => number;
  /** So many edges of windows are kept, about a kilobyte each; beyond them the oldest windows go, the narrow ones first. */
  readonly maxEdges?: number;
}

/** The graph of one mixer alone, gone when it ends. */
export class MemoryGraphStore implements GraphStore {
  /** By width and start. */
  readonly #windows = new Map<number, Map<number, Kept>>();
  readonly #droppedTo = new Map<number, number>();
  readonly #now: () => number;
  readonly #maxEdges: number;
  #size = 0;

  constructor({ now, maxEdges = 60_000 }: MemoryGraphStoreOptions) {
    this.#now = now;
    this.#maxEdges = maxEdges;
  }

  write(partials: readonly GraphPartial[]): Promise<void> {
    for (const partial of partials) this.#put(partial);
    this.#expire();
    return Promise.resolve();
  }

  read(widthMs: number, from: number, to: number): Promise<readonly GraphPartial[]> {
    this.#expire();
    const found = [...(this.#windows.get(widthMs)?.values() ?? [])].filter(({ start }) => start >= from && start < to);
    return Promise.resolve(
      found.flatMap(({ start, edges }) =>
        [...edges].map(([replica, byKey]) => ({ replica, widthMs, start, edges: [...byKey.values()] })),
      ),
    );
  }

  keptFrom(widthMs: number): Promise<number> {
    return Promise.resolve(Math.max(this.#droppedTo.get(widthMs) ?? 0, this.#expiredTo(widthMs)));
  }

  #put({ replica, widthMs, start, edges }: GraphPartial): void {
    if (start < this.#expiredTo(widthMs) || start < (this.#droppedTo.get(widthMs) ?? 0)) return;
    const ofWidth = getOrMake(this.#windows, widthMs, () => new Map<number, Kept>());
    const kept = getOrMake(ofWidth, start, (): Kept => ({ widthMs, start, edges: new Map(), size: 0 }));
    const ofReplica = getOrMake(kept.edges, replica, () => new Map<string, EdgeData>());
    const before = ofReplica.size;
    for (const data of edges) ofReplica.set(edgeKey(data.edge), data);
    kept.size += ofReplica.size - before;
    this.#size += ofReplica.size - before;
  }

  #expiredTo(widthMs: number): number {
    const level = levels.find((candidate) => candidate.widthMs === widthMs);
    return level ? this.#now() - level.keepMs : 0;
  }

  #expire(): void {
    for (const [widthMs, windows] of this.#windows)
      for (const kept of windows.values()) if (kept.start < this.#expiredTo(widthMs)) this.#drop(kept);
    while (this.#size > this.#maxEdges) {
      const victim = this.#oldest();
      if (!victim) return;
      this.#droppedTo.set(victim.widthMs, victim.start + victim.widthMs);
      this.#drop(victim);
    }
  }

  /** The oldest of the narrowest windows that are more than one. */
  #oldest(): Kept | undefined {
    const byWidth = [...this.#windows].sort(([a], [b]) => a - b).map(([, windows]) => [...windows.values()]);
    const windows = byWidth.find(({ length }) => length > 1) ?? byWidth.find(({ length }) => length > 0) ?? [];
    return windows.sort((a, b) => a.start - b.start)[0];
  }

  #drop({ widthMs, start, size }: Kept): void {
    this.#windows.get(widthMs)?.delete(start);
    this.#size -= size;
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
