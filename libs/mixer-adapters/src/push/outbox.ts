import type { AdapterContext } from '@seine/mixer';
import { reasonOf } from '../rim/reason.js';

/** What was sent was refused and would be again: it is let go. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

export interface OutboxOptions<T> {
  /** What is in it, for messages: `log entries`. */
  readonly things: string;
  /** Where they go to, for messages. */
  readonly target: string;
  /** So many wait at most; what comes beyond is dropped, and counted. */
  readonly maxItems: number;
  /** So much may wait in all, in whatever `sizeOf` counts; default no bound beside `maxItems`. */
  readonly maxSize?: number;
  readonly sizeOf?: (item: T) => number;
  /** At most so many go at once. */
  readonly maxBatch: number;
  /** At most so much goes at once, by `sizeOf`; a single larger one goes alone. */
  readonly maxBatchSize?: number;
  /** @throws (rejects) Refused where it is of no use to send them again */
  readonly send: (items: readonly T[]) => Promise<void>;
}

const firstRetryMs = 500;
const longestRetryMs = 30_000;

/** Holds what is to be sent, sends it in batches, and again when it could not be. Memory is bounded; loss is counted and said. */
export class Outbox<T> {
  /** How many were lost. */
  dropped = 0;
  readonly #items: T[] = [];
  #size = 0;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #retryAt = 0;
  /** How many were lost when it was last said. */
  #said = 0;

  constructor(
    private readonly options: OutboxOptions<T>,
    private readonly context: Pick<AdapterContext, 'now' | 'warn'>,
  ) {}

  get waiting(): number {
    return this.#items.length;
  }

  add(items: readonly T[]): void {
    const { maxItems, maxSize = Infinity, maxBatch, maxBatchSize = Infinity, sizeOf } = this.options;
    for (const item of items) {
      const size = sizeOf?.(item) ?? 0;
      if (this.#items.length >= maxItems || this.#size + size > maxSize) {
        this.#drop(1, 'they come faster than they can be sent');
        continue;
      }
      this.#items.push(item);
      this.#size += size;
    }
    // A batch that is full need not wait for its time.
    if (this.#items.length >= maxBatch || this.#size >= maxBatchSize) void this.flush();
  }

  /** Sends what waits, unless it was tried too short a while ago. Never rejects. */
  flush(): Promise<void> {
    if (this.#items.length === 0 || this.context.now() < this.#retryAt) return this.#sending ?? Promise.resolve();
    return (this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined)));
  }

  /** Sends what waits, one last time. What cannot be sent now is lost. */
  async close(): Promise<void> {
    await this.#sending;
    this.#retryAt = 0;
    await this.flush();
    if (this.#items.length > 0) this.#drop(this.#take(this.#items.length), 'the handler ends');
  }

  async #sendAll(): Promise<void> {
    while (this.#items.length > 0) {
      const batch = this.#items.slice(0, this.#batchLength());
      try {
        await this.options.send(batch);
      } catch (error) {
        if (error instanceof Refused) {
          this.#take(batch.length);
          this.#drop(batch.length, error.message);
          continue;
        }
        this.#retryAt = this.context.now() + Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++);
        if (this.#failures === 1) {
          const { things, target } = this.options;
          this.context.warn(`cannot send ${things} to ${target}: ${reasonOf(error)}; they wait, and it is tried again`);
        }
        return;
      }
      this.#take(batch.length);
      this.#failures = 0;
      this.#sayLoss();
    }
  }

  #batchLength(): number {
    const { maxBatch, maxBatchSize, sizeOf } = this.options;
    if (maxBatchSize === undefined || !sizeOf) return maxBatch;
    let size = 0;
    let length = 0;
    for (const item of this.#items) {
      size += sizeOf(item);
      if (length === maxBatch || (length > 0 && size > maxBatchSize)) break;
      length++;
    }
    return length;
  }

  /** @returns how many */
  #take(count: number): number {
    const { sizeOf } = this.options;
    for (const item of this.#items.splice(0, count)) this.#size -= sizeOf?.(item) ?? 0;
    return count;
  }

  #drop(count: number, reason: string): void {
    const first = this.dropped === this.#said;
    this.dropped += count;
    if (first) this.context.warn(`${this.options.things} for ${this.options.target} are dropped: ${reason}`);
  }

  #sayLoss(): void {
    const lost = this.dropped - this.#said;
    this.#said = this.dropped;
    if (lost > 0) this.context.warn(`${lost} ${this.options.things} for ${this.options.target} were dropped`);
  }
}
