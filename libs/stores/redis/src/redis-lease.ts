import { randomUUID } from 'node:crypto';
import { RedisConnection, type RedisEvents, type RedisOptions, runScript } from '@seine/redis';
import { leaseScript, logKeys, type LogKeys, releaseScript } from './scripts.js';

export interface RedisLeaseOptions extends RedisEvents {
  readonly redis: RedisOptions;
  /** As that of the store. */
  readonly prefix?: string | undefined;
  /** How long it lasts when it is not kept, ms; default 10,000. */
  readonly ttlMs?: number | undefined;
  /** Is told that another process leads, where this one did. */
  readonly onSuperseded?: (() => void) | undefined;
}

/** Parts of the lease after which it is looked at again. */
const pauses = { leading: 10, standingBy: 4 } as const;

/**
 * Who may write the mesh log: one process at a time takes the lease, the others stand by. A lease is no lock: a process
 * that sleeps may believe that it leads still. So each lease has a token, higher than all before it, and the scripts that
 * write refuse lower ones.
 */
export class RedisLease {
  readonly #id = randomUUID();
  readonly #connection: RedisConnection;
  readonly #keys: LogKeys;
  readonly #ttlMs: number;
  #held: { readonly token: number; readonly until: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Another has been seen to lead. */
  #standsBy = false;
  /** Nobody led when it was looked at last. */
  #wasFree = false;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly options: RedisLeaseOptions) {
    const { redis, prefix = '{seine:mesh}:', ttlMs = 10_000 } = options;
    this.#ttlMs = ttlMs;
    this.#keys = logKeys(prefix);
    this.#connection = new RedisConnection({ ...redis, timeoutMs: Math.max(1000, redis.timeoutMs ?? 0) }, options);
  }

  start(): void {
    this.#connection.start();
    void this.#keep();
  }

  /** Resolves when this process leads. */
  async held(): Promise<void> {
    if (this.token() === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** What is shown to the scripts that write; undefined = another leads, or nobody knows. */
  readonly token = (): number | undefined =>
    this.#held && this.#held.until > performance.now() ? this.#held.token : undefined;

  /** Gives the lease back, so that another need not wait for its end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const held = this.#held;
    this.#held = undefined;
    try {
      if (held) await runScript(this.#connection, releaseScript, [this.#keys.lease], [this.#id]);
    } catch {
      // It ends by itself.
    }
    this.#connection.close();
  }

  async #keep(): Promise<void> {
    const asked = performance.now();
    try {
      const keys = [this.#keys.lease, this.#keys.meta];
      const mayTake = !this.#standsBy || this.#wasFree ? 1 : 0;
      const said = await runScript(this.#connection, leaseScript, keys, [this.#id, this.#ttlMs, mayTake]);
      this.#wasFree = said === 'FREE';
      this.#standsBy = said === null || this.#wasFree;
      // From when it was asked for: Redis counts from later.
      const held = this.#standsBy ? undefined : { token: Number(said), until: asked + this.#ttlMs };
      if (this.#held && !held) this.options.onSuperseded?.();
      this.#held = held;
    } catch {
      // It holds until its end, which nobody else can take before.
    }
    if (this.#isClosed) return;
    if (this.token() !== undefined) for (const resolve of this.#waiting.splice(0)) resolve();
    // Where Redis has lost the lease, who had it is back before one who stands by looks again.
    const pause = this.#ttlMs / (this.#standsBy ? pauses.standingBy : pauses.leading);
    this.#timer = setTimeout(() => void this.#keep(), this.#connection.isUp ? pause : Math.min(100, pause));
  }
}
