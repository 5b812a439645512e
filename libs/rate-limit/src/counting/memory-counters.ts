import type { Counters, Hit } from './counters.js';
import { count, type CountState, type Verdict } from './limit.js';

interface Entry {
  readonly state: CountState;
  readonly expiresAt: number;
}

/** How many entries are looked at for each one that is made, so that what has expired goes without a timer. */
const sweepStep = 2;

/**
 * Counts in this process. Memory is bounded: of more than `maxKeys` keys, the one unused for longest is forgotten first,
 * and starts anew when it comes again.
 */
export class MemoryCounters implements Counters {
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();
  #sweep: MapIterator<[string, Entry]> | undefined;

  constructor(private readonly maxKeys = 1_000_000) {}

  get size(): number {
    return this.#entries.size;
  }

  count(hits: readonly Hit[], now: number): readonly Verdict[] {
    return hits.map((hit) => this.#count(hit, now));
  }

  /** Nothing has been counted. */
  clear(): void {
    this.#entries.clear();
    this.#sweep = undefined;
  }

  #count({ key, limit, hits }: Hit, now: number): Verdict {
    const known = this.#entries.get(key);
    const { verdict, state, expiresAt } = count(limit, known?.state, hits, now);
    this.#entries.delete(key);
    this.#entries.set(key, { state, expiresAt });
    if (!known) this.#makeRoom(now);
    return verdict;
  }

  #makeRoom(now: number): void {
    for (let i = 0; i < sweepStep; i++) {
      this.#sweep ??= this.#entries.entries();
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = undefined;
        break;
      }
      const [key, { expiresAt }] = next.value;
      if (expiresAt <= now) this.#entries.delete(key);
    }
    if (this.#entries.size <= this.maxKeys) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}
