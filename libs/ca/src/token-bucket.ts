/** So many at once, and so many a second. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Token buckets by key (an identity, an address). Holds the keys that came last: one that is dropped starts full
 * again, so more keys than are held never lock anybody out.
 */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    private readonly limit: RateLimit,
    private readonly mostKeys = 10_000,
  ) {}

  /**
   * Takes one token.
   * @param now milliseconds
   * @returns 0 when there was one, else the milliseconds until there is
   */
  take(key: string, now: number): number {
    const { burst, perSecond } = this.limit;
    const known = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const refilled = known.tokens + (Math.max(0, now - known.at) * perSecond) / 1000;
    const tokens = Math.min(burst, refilled);
    const enough = tokens >= 1;
    this.#keep(key, { tokens: enough ? tokens - 1 : tokens, at: now });
    return enough ? 0 : Math.ceil(((1 - tokens) * 1000) / perSecond);
  }

  #keep(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= this.mostKeys) return;
    const oldest = this.#buckets.keys().next().value;
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
