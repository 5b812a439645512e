import type { Counters, Hit } from './counters.js';
import type { Verdict } from './limit.js';

/** What this replica has taken in advance of one key. */
interface Share {
  left: number;
  /** The store's last word, less what was given out since. */
  remaining: number;
  validUntil: number;
  /** Another caller is asking for more; who comes meanwhile waits for it instead of asking too, and fails as it does. */
  asking: Promise<void> | undefined;
}

export interface ShareOptions {
  /** How many replicas take from the store. */
  readonly replicas: number;
  /** How many keys a share is kept of. */
  readonly maxKeys?: number;
}

/** Below this many hits a window and replica, a share would leave too much with replicas that do not need it. */
const worthwhile = 100;
/** A share is this part of what is left, so that shares shrink to single hits where it gets tight. */
const part = 20;

/**
 * Takes hits from a shared store in advance, and answers from what it has taken. Taken is counted: all replicas together
 * never let more through than the limit. Fewer, by what some took and did not need, a twentieth at most for each.
 */
export class SharedCounters implements Counters {
  readonly #shares = new Map<string, Share>();
  readonly #replicas: number;
  readonly #maxKeys: number;

  constructor(
    private readonly store: Counters,
    { replicas, maxKeys = 100_000 }: ShareOptions,
  ) {
    this.#replicas = Math.max(1, replicas);
    this.#maxKeys = maxKeys;
  }

  async count(hits: readonly Hit[], now: number): Promise<readonly Verdict[]> {
    const answers = new Map<Hit, Verdict>();
    const direct = hits.filter((hit) => !this.#mayTakeAhead(hit));
    const [counted] = await Promise.all([
      direct.length === 0 ? [] : this.store.count(direct, now),
      ...hits
        .filter((hit) => this.#mayTakeAhead(hit))
        .map(async (hit) => answers.set(hit, await this.#fromShare(hit, now))),
    ]);
    counted.forEach((verdict, i) => {
      const hit = direct[i];
      if (hit) answers.set(hit, verdict);
    });
    return hits.map((hit) => answers.get(hit) ?? { allowed: false, remaining: 0, resetMs: 0 });
  }

  #mayTakeAhead({ limit, exact }: Hit): boolean {
    return !exact && limit.requests / this.#replicas >= worthwhile;
  }

  async #fromShare(hit: Hit, now: number): Promise<Verdict> {
    for (;;) {
      const share = this.#shareOf(hit.key, now);
      if (share.left >= hit.hits) {
        share.left -= hit.hits;
        return { allowed: true, remaining: share.remaining + share.left, resetMs: share.validUntil - now };
      }
      if (share.asking) {
        await share.asking;
        continue;
      }
      const answer = this.#ask(hit, share, now);
      share.asking = answer.then(noop);
      // Nobody may be waiting.
      share.asking.catch(noop);
      try {
        return await answer;
      } finally {
        share.asking = undefined;
      }
    }
  }

  /** Asks for the hit and a share on top; where that is too much, for the hit alone. */
  async #ask(hit: Hit, share: Share, now: number): Promise<Verdict> {
    const ahead = Math.floor(share.remaining / (part * this.#replicas));
    if (ahead > 0) {
      const [verdict] = await this.store.count([{ ...hit, hits: hit.hits + ahead }], now);
      if (verdict?.allowed) {
        share.left += ahead;
        return this.#noted(share, verdict, now);
      }
    }
    const [verdict] = await this.store.count([hit], now);
    return this.#noted(share, verdict ?? { allowed: false, remaining: 0, resetMs: 0 }, now);
  }

  #noted(share: Share, verdict: Verdict, now: number): Verdict {
    share.remaining = verdict.remaining;
    share.validUntil = now + verdict.resetMs;
    return { ...verdict, remaining: verdict.remaining + share.left };
  }

  #shareOf(key: string, now: number): Share {
    const known = this.#shares.get(key);
    if (known && (known.validUntil > now || known.asking)) return known;
    const share: Share = { left: 0, remaining: 0, validUntil: 0, asking: undefined };
    this.#shares.delete(key);
    this.#shares.set(key, share);
    if (this.#shares.size > this.#maxKeys) {
      for (const oldest of this.#shares.keys()) {
        this.#shares.delete(oldest);
        break;
      }
    }
    return share;
  }
}

function noop(): void {
  // Who waited looks at the share again.
}
