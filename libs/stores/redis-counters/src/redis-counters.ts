import { createHash } from 'node:crypto';
import type { Algorithm, Counters, Hit, Verdict } from '@seine/rate-limit';
import { type RedisConnection, runScript } from '@seine/redis';
import { countScript } from './count-script.js';

export interface RedisCountersOptions {
  /** Put before all keys; its braces make Redis keep them together. */
  readonly prefix?: string | undefined;
  /**
   * Whose clock cuts time. `redis` (default): one clock for all who count there, however far theirs are apart. `caller`:
   * the `now` that `count` is given; right where there is one caller, or time is not the real one.
   */
  readonly clock?: 'redis' | 'caller' | undefined;
  /** How many hits go in one script at most, as Redis does nothing else meanwhile. */
  readonly maxBatch?: number | undefined;
}

/** A decision that waits to be sent. */
interface Waiting {
  readonly hits: readonly Hit[];
  readonly now: number;
  readonly resolve: (verdicts: readonly Verdict[]) => void;
  readonly reject: (error: unknown) => void;
}

const algorithms: Readonly<Record<Algorithm, number>> = { FIXED_WINDOW: 0, SLIDING_WINDOW: 1, TOKEN_BUCKET: 2 };

/** A state outlives its use by so much: a clock that goes back a little finds it. */
const graceMs = 1000;

/**
 * Counts in Redis, for all who count there under one prefix. Each decision is counted in one step of a script; those of
 * one turn of the event loop go to Redis together. What is counted has no name there but a digest: the values of
 * descriptors may be secrets.
 */
export class RedisCounters implements Counters {
  readonly #prefix: string;
  readonly #caller: boolean;
  readonly #maxBatch: number;
  #waiting: Waiting[] = [];

  constructor(
    private readonly connection: Pick<RedisConnection, 'call'>,
    { prefix = '{seine:limits}:', clock = 'redis', maxBatch = 500 }: RedisCountersOptions = {},
  ) {
    this.#prefix = prefix;
    this.#caller = clock === 'caller';
    this.#maxBatch = maxBatch;
  }

  /** @throws RedisUnavailableError, RedisReplyError (rejects) */
  count(hits: readonly Hit[], now: number): Promise<readonly Verdict[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ hits, now, resolve, reject }) === 1) setImmediate(() => this.#send());
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    let batch: Waiting[] = [];
    let size = 0;
    for (const one of waiting) {
      // Of one clock each, where it is the callers'.
      const isFull =
        size > 0 && (size + one.hits.length > this.#maxBatch || (this.#caller && batch[0]?.now !== one.now));
      if (isFull) {
        void this.#ask(batch);
        batch = [];
        size = 0;
      }
      batch.push(one);
      size += one.hits.length;
    }
    void this.#ask(batch);
  }

  async #ask(batch: readonly Waiting[]): Promise<void> {
    try {
      const verdicts = parseReply(await this.#run(batch));
      const asked = batch.reduce((sum, { hits }) => sum + hits.length, 0);
      if (verdicts.length !== asked) throw new Error(`Redis gave ${verdicts.length} counts for ${asked}`);
      let next = 0;
      for (const { hits, resolve } of batch) resolve(verdicts.slice(next, (next += hits.length)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #run(batch: readonly Waiting[]): Promise<unknown> {
    const keys = new Map<string, number>();
    const numbers = [this.#caller ? (batch[0]?.now ?? 0) : -1, graceMs];
    for (const { hits } of batch)
      for (const { key, limit, hits: n } of hits) {
        let index = keys.get(key);
        if (index === undefined) keys.set(key, (index = keys.size + 1));
        numbers.push(index, algorithms[limit.algorithm], limit.requests, limit.windowMs, n);
      }
    const names = [...keys.keys()].map((key) => this.#prefix + digest(key));
    return await runScript(this.connection, countScript, names, [JSON.stringify(numbers)]);
  }
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}

function parseReply(reply: unknown): readonly Verdict[] {
  const words = String(reply).split(' ');
  const verdicts: Verdict[] = [];
  for (let i = 0; i + 2 < words.length; i += 3)
    verdicts.push({ allowed: words[i] === '1', remaining: Number(words[i + 1]), resetMs: Number(words[i + 2]) });
  return verdicts;
}
