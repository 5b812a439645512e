import type { AttributeBag, CheckDispatch, CheckVerdict } from '@seine/mixer';
import { type KeyOf, keyOfReads } from './attribute-key.js';

interface Entry {
  readonly verdict: CheckVerdict;
  /** ms since 1970 */
  readonly until: number;
  uses: number;
}

/** At about half a kilobyte each. */
const maxEntries = 20_000;
/** Verdicts with longer messages, in characters, or with more output, are not kept. */
const maxMessage = 1000;
const maxOutput = 20;

/** Where a verdict may be found again. */
export type CacheKey = string | undefined;

/**
 * Verdicts that hold for more than one request, as long and as often as the adapter said: for each instance that a rule
 * hands to a handler, by the attributes that the instance is made of. Of one version of the policy only.
 */
export class ResultCache {
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new Map<CheckDispatch, KeyOf>();

  constructor(private readonly max = maxEntries) {}

  /** Undefined where there can be nothing to be found. */
  keyOf(dispatch: CheckDispatch, bag: AttributeBag): CacheKey {
    let keyOf = this.#keys.get(dispatch);
    if (!keyOf) {
      const prefix = `${this.#keys.size} `;
      const ofReads = keyOfReads(dispatch.instance.reads);
      keyOf = (one) => {
        const key = ofReads(one);
        return key === undefined ? undefined : prefix + key;
      };
      this.#keys.set(dispatch, keyOf);
    }
    return keyOf(bag);
  }

  /** @param now ms since 1970 */
  find(key: CacheKey, now: number): CheckVerdict | undefined {
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (!entry || key === undefined) return undefined;
    if (entry.until <= now || entry.uses <= 0) {
      this.#entries.delete(key);
      return undefined;
    }
    entry.uses--;
    return entry.verdict;
  }

  keep(key: CacheKey, verdict: CheckVerdict, now: number): void {
    const { validMs = 0, validUses = Infinity } = verdict;
    // The request that it was asked for is the first use.
    if (key === undefined || !(validMs > 0) || !(validUses > 1)) return;
    if ((verdict.message?.length ?? 0) > maxMessage || (verdict.output?.size ?? 0) > maxOutput) return;
    if (this.#entries.size >= this.max) this.#dropOldest();
    this.#entries.set(key, { verdict, until: now + validMs, uses: validUses - 1 });
  }

  get size(): number {
    return this.#entries.size;
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
