import type { Counters, Hit } from './counters.js';
import type { Verdict } from './limit.js';

/** Somebody who waits for the store's answer. */
interface Waiting {
  readonly hit: Hit;
  readonly now: number;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

/** What this replica has taken in advance of one key. */
interface Share {
  left: number;
  /** The store's last word. */
  remaining: number;
  /** Until when what is left may be given out. */
  validUntil: number;
  /** So many hits at once and more have no room until then; the store need not be asked. */
  deniedHits: number;
  deniedUntil: number;
  /** Who goes with the next question; the store is asked one question at a time. */
  readonly waiting: Waiting[];
  asking: boolean;
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
/** A refusal is remembered no longer, as the store may be emptied, ms. */
const longestDenial = 1000;
/** So many wait for one answer at most. */
const maxTogether = 500;

/**
 * Takes hits from a shared store in advance, and answers from what it has taken. Taken is counted: all replicas together
 * never let more through than the limit. Fewer, by what some took and did not need, a twentieth at most for each.
 * Whatever is asked of one key while a question is under way goes together with the next; what the store has refused is
 * refused without it for as long as it would refuse it.
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
    const [first] = hits;
    if (first && hits.length === 1)
      return this.#mayTakeAhead(first) ? [await this.#fromShare(first, now)] : await this.store.count(hits, now);
    const direct = hits.filter((hit) => !this.#mayTakeAhead(hit));
    const answers = new Map<Hit, Verdict>();
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
    return hits.map((hit) => answers.get(hit) ?? nothing);
  }

  #mayTakeAhead({ limit, exact }: Hit): boolean {
    return !exact && limit.requests / this.#replicas >= worthwhile;
  }

  #fromShare(hit: Hit, now: number): Verdict | Promise<Verdict> {
    const share = this.#shareOf(hit.key, now);
    const known = answerFrom(share, hit, now);
    if (known) return known;
    return new Promise((resolve, reject) => {
      share.waiting.push({ hit, now, resolve, reject });
      if (!share.asking) void this.#ask(share);
    });
  }

  /** Asks for all who wait, and behind them for a share; until nobody waits. Where the store fails, it fails for them. */
  async #ask(share: Share): Promise<void> {
    share.asking = true;
    while (share.waiting.length > 0) {
      const asking = share.waiting.splice(0, maxTogether);
      try {
        await this.#askFor(asking, share);
      } catch (error) {
        // Nobody waits for one time-out after the other.
        for (const { reject } of [...asking, ...share.waiting.splice(0)]) reject(error);
      }
      settle(share);
    }
    share.asking = false;
  }

  async #askFor(asking: readonly Waiting[], share: Share): Promise<void> {
    const last = asking.at(-1);
    if (!last) return;
    const hits = asking.map(({ hit }) => hit);
    const ahead = share.validUntil > last.now ? Math.floor(share.remaining / (part * this.#replicas)) : 0;
    if (ahead > 0) hits.push({ ...last.hit, hits: ahead });
    const verdicts = await this.store.count(hits, last.now);
    const taken = ahead > 0 && verdicts[asking.length]?.allowed === true ? ahead : 0;
    const { remaining, resetMs } = verdicts.at(-1) ?? nothing;
    // What was left of a window before is gone with it.
    share.left = (share.validUntil > last.now ? share.left : 0) + taken;
    share.remaining = remaining;
    share.validUntil = last.now + resetMs;
    asking.forEach(({ hit, now, resolve }, i) => {
      const verdict = verdicts[i] ?? nothing;
      if (!verdict.allowed) noteDenial(share, hit, verdict, now);
      resolve(verdict.allowed ? { ...verdict, remaining: verdict.remaining + share.left } : verdict);
    });
  }

  #shareOf(key: string, now: number): Share {
    const known = this.#shares.get(key);
    if (known && (known.validUntil > now || known.asking)) return known;
    // One of a window that is over goes back to the end of the line, as good as new.
    this.#shares.delete(key);
    const share: Share = {
      left: 0,
      remaining: 0,
      validUntil: 0,
      deniedHits: Infinity,
      deniedUntil: 0,
      waiting: [],
      asking: false,
    };
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

const nothing: Verdict = { allowed: false, remaining: 0, resetMs: 0 };

/** What needs no question. */
function answerFrom(share: Share, { hits }: Hit, now: number): Verdict | undefined {
  const { left, remaining, validUntil } = share;
  if (left >= hits && validUntil > now) {
    share.left -= hits;
    return { allowed: true, remaining: remaining + share.left, resetMs: validUntil - now };
  }
  if (share.deniedUntil > now && hits >= share.deniedHits)
    return { allowed: false, remaining: Math.min(remaining, hits - 1), resetMs: Math.max(0, validUntil - now) };
  return undefined;
}

/** Answers those who came meanwhile and need no question any more. */
function settle(share: Share): void {
  const waiting = share.waiting.splice(0);
  for (const one of waiting) {
    const known = answerFrom(share, one.hit, one.now);
    if (known) one.resolve(known);
    else share.waiting.push(one);
  }
}

/** Remembers a refusal for as long as it would be one whatever others do meanwhile. */
function noteDenial(share: Share, { hits, limit }: Hit, { resetMs }: Verdict, now: number): void {
  const pace = limit.windowMs / limit.requests;
  const waitMs = {
    FIXED_WINDOW: resetMs,
    // How fast the last window fades is not known here: longer by a hundredth of the window at most.
    SLIDING_WINDOW: Math.min(resetMs, limit.windowMs / 100),
    TOKEN_BUCKET: resetMs - limit.windowMs + hits * pace,
  }[limit.algorithm];
  // The refusal of more says nothing of fewer.
  if (share.deniedUntil > now && share.deniedHits < hits) return;
  share.deniedHits = hits;
  share.deniedUntil = now + Math.min(waitMs, longestDenial);
}
