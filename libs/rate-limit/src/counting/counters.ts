import type { Limit, Verdict } from './limit.js';

/** What is to be counted under one key. */
export interface Hit {
  readonly key: string;
  readonly limit: Limit;
  readonly hits: number;
  /** Each request is counted where all replicas see it, before it is answered; no share in advance. */
  readonly exact: boolean;
  /** While the store is away each replica counts by itself, at its part of the limit; absent = it cannot be counted then. */
  readonly localFallback?: boolean | undefined;
}

/** Where counts live. */
export interface Counters {
  /**
   * Counts each hit by itself; the answers are in the same order.
   * @param now milliseconds since 1970
   * @throws (rejects) where the store does not answer in time
   */
  count(hits: readonly Hit[], now: number): readonly Verdict[] | Promise<readonly Verdict[]>;
}
