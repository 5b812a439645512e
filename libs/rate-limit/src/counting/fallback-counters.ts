import type { Counters, Hit } from './counters.js';
import type { Verdict } from './limit.js';
import { MemoryCounters } from './memory-counters.js';

export interface FallbackOptions {
  /** How many replicas count in the store; each goes on with its part of a limit. */
  readonly replicas: number;
  /** Where hits are counted while the store is away. */
  readonly local?: Counters | undefined;
  /** Is told how many hits were counted locally, for each time that they were. */
  readonly onFallback?: ((hits: number) => void) | undefined;
}

/**
 * Counts in a store, and while that fails by itself: hits whose limit says so (`localFallback`), at `requests / replicas`,
 * so that all replicas together let through no more than the limit. What had been counted in the store is not known here:
 * the window in which it went away may let through up to twice the limit. Where a hit may not be counted so, the store's
 * error goes on to the caller.
 */
export class FallbackCounters implements Counters {
  readonly #replicas: number;
  readonly #local: Counters;
  readonly #onFallback: ((hits: number) => void) | undefined;

  constructor(
    private readonly store: Counters,
    { replicas, local = new MemoryCounters(), onFallback }: FallbackOptions,
  ) {
    this.#replicas = Math.max(1, replicas);
    this.#local = local;
    this.#onFallback = onFallback;
  }

  async count(hits: readonly Hit[], now: number): Promise<readonly Verdict[]> {
    try {
      return await this.store.count(hits, now);
    } catch (error) {
      if (!hits.every(({ localFallback }) => localFallback)) throw error;
      this.#onFallback?.(hits.length);
      return await this.#local.count(
        hits.map((hit) => this.#part(hit)),
        now,
      );
    }
  }

  /** A limit that is not nothing stays one request at least, however many replicas there are. */
  #part(hit: Hit): Hit {
    const { requests } = hit.limit;
    const part = Math.min(requests, Math.max(1, Math.floor(requests / this.#replicas)));
    return { ...hit, limit: { ...hit.limit, requests: part } };
  }
}
