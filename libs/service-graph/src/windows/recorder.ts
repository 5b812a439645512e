import { EdgeTable } from '../edges/edge-table.js';
import type { EdgeData } from '../edges/edge-totals.js';
import type { Observation } from '../edges/observation.js';
import type { GraphPartial } from '../store/graph-store.js';
import { coarse, fine, type Level, windowStart } from './levels.js';

/** So many edges a window tells apart; the rest is one, `other`. */
export const maxEdgesPerWindow = 2000;
/** So many windows wait for a store that cannot be written to: ten minutes of fine ones. */
const maxWaiting = 60;

/** Edges of one stretch of time. */
class Window {
  readonly #table: EdgeTable;
  readonly #changed = new Set<string>();

  constructor(
    readonly level: Level,
    readonly start: number,
    maxEdges: number,
  ) {
    this.#table = new EdgeTable(maxEdges);
  }

  get end(): number {
    return this.start + this.level.widthMs;
  }

  get isChanged(): boolean {
    return this.#changed.size > 0;
  }

  add(observed: Observation): void {
    this.#changed.add(this.#table.add(observed));
  }

  merge(edges: readonly EdgeData[]): void {
    for (const edge of edges) this.#changed.add(this.#table.merge(edge));
  }

  all(): readonly EdgeData[] {
    return [...this.#table.edges.values()].map((totals) => totals.toData());
  }

  /** What has changed since it was asked last. */
  take(replica: string): GraphPartial & { readonly keys: readonly string[] } {
    const keys = [...this.#changed];
    this.#changed.clear();
    const edges = keys.flatMap((key) => this.#table.edges.get(key)?.toData() ?? []);
    return { replica, widthMs: this.level.widthMs, start: this.start, edges, keys };
  }

  putBack(keys: readonly string[]): void {
    for (const key of keys) this.#changed.add(key);
  }
}

/** What is to be written, and must be said to have failed where it could not be. */
export interface Taken {
  readonly partials: readonly GraphPartial[];
  /** They are handed out again the next time. */
  readonly putBack: () => void;
}

/**
 * What one mixer sees of the graph: the window that is open, the coarse one around it, and closed ones until a store has
 * them. Time is when something is reported, on one clock: those of the proxies may differ.
 */
export class GraphRecorder {
  #open: Window | undefined;
  #around: Window | undefined;
  #closed: Window[] = [];
  #lost = 0;

  /** @param replica a name that no other mixer has, nor this one after a restart */
  constructor(
    readonly replica: string,
    private readonly maxEdges = maxEdgesPerWindow,
  ) {}

  /** Windows that were given up, as no store took them. */
  get lost(): number {
    return this.#lost;
  }

  /** @param at now, milliseconds since 1970 */
  observe(observed: Observation, at: number): void {
    let open = this.#open;
    if (!open || at >= open.end) open = this.#turn(at);
    open.add(observed);
  }

  /** What has changed since it was taken last. @param at now */
  take(at: number): Taken {
    if (this.#open && at >= this.#open.end) this.#turn(at);
    const windows = [...this.#closed, this.#around, this.#open].filter((window) => window !== undefined);
    const taken = windows
      .filter(({ isChanged }) => isChanged)
      .map((window) => ({ window, part: window.take(this.replica) }));
    this.#closed = [];
    return {
      partials: taken.map(({ part: { replica, widthMs, start, edges } }) => ({ replica, widthMs, start, edges })),
      putBack: () => {
        for (const { window, part } of taken) window.putBack(part.keys);
        const held = new Set([...this.#closed, this.#open, this.#around]);
        this.#keep(...taken.map(({ window }) => window).filter((window) => !held.has(window)));
      },
    };
  }

  #turn(at: number): Window {
    const closed = this.#open;
    if (closed) {
      this.#around = this.#coarseAround(closed.start);
      this.#around.merge(closed.all());
      if (closed.isChanged) this.#keep(closed);
    }
    return (this.#open = new Window(fine, windowStart(at, fine), this.maxEdges));
  }

  #coarseAround(at: number): Window {
    const start = windowStart(at, coarse);
    if (this.#around?.start === start) return this.#around;
    if (this.#around?.isChanged) this.#keep(this.#around);
    return new Window(coarse, start, this.maxEdges);
  }

  #keep(...windows: readonly Window[]): void {
    this.#closed.push(...windows);
    this.#closed.sort((a, b) => a.start - b.start);
    const tooMany = this.#closed.length - maxWaiting;
    if (tooMany <= 0) return;
    this.#closed.splice(0, tooMany);
    this.#lost += tooMany;
  }
}
