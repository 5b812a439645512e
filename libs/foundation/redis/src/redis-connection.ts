import { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { clientOptions, connectMs, type RedisOptions } from './redis-options.js';
import { describeRedis } from './redis-url.js';

/** Redis cannot be asked now, or did not answer in time; what was asked of it may have been done or not. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/** Redis answered with an error. */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
}

/** What a connection tells its owner. */
export interface RedisEvents {
  /** Redis can be asked; it could not before. */
  readonly onUp?: (() => void) | undefined;
  /** Redis cannot be asked any more, or not yet; told once for each reason. Holds no secrets. */
  readonly onDown?: ((reason: string) => void) | undefined;
}

export type RedisArgument = string | number | Buffer;

/** So many time-outs in a row open the circuit. */
const tripAfter = 3;
/** Between attempts to connect, ms. */
const pauses = { first: 50, longest: 500 } as const;
/** Replies that another connection may be spared: another master, another password, loaded by then. */
const wantsAnother = /^(READONLY|LOADING|MASTERDOWN|NOAUTH|WRONGPASS|UNBLOCKED|CLUSTERDOWN)\b/;

/**
 * One connection to Redis. While Redis is away, calls are refused at once: the circuit is open from the first lost
 * connection, or from the third time-out in a row, until a PING is answered; one PING at a time is under way. A connection
 * that does not answer it is given up for another. Nothing waits for Redis to come back, and nothing is sent twice.
 */
export class RedisConnection {
  readonly #timeoutMs: number;
  readonly #maxPending: number;
  #client: Redis | undefined;
  #isUp = false;
  #isClosed = false;
  #reason = 'not connected yet';
  #told: string | undefined;
  #pending = 0;
  #timeouts = 0;
  #pauseMs: number = pauses.first;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: RedisOptions,
    private readonly events: RedisEvents = {},
  ) {
    this.#timeoutMs = options.timeoutMs ?? 20;
    this.#maxPending = options.maxPending ?? 1000;
  }

  /** Connects, and keeps at it until `close`. */
  start(): void {
    void this.#connect();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why it is not up. */
  get reason(): string {
    return this.#isUp ? '' : this.#reason;
  }

  /** Calls under way, those included that nobody waits for any more. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Asks Redis.
   * @throws RedisUnavailableError (rejects) at once while Redis is away or too much is under way, else within `timeoutMs`
   * @throws RedisReplyError (rejects)
   */
  async call(command: string, args: readonly RedisArgument[], timeoutMs = this.#timeoutMs): Promise<unknown> {
    const client = this.#client;
    if (!client || !this.#isUp) throw new RedisUnavailableError(`Redis is away: ${this.#reason}`);
    if (this.#pending >= this.#maxPending)
      throw new RedisUnavailableError(`${this.#pending} calls to Redis are under way already`);
    this.#pending++;
    const sent = client.call(command, [...args]);
    const done = (): void => {
      this.#pending--;
    };
    sent.then(done, done);
    try {
      const reply = await withDeadline(sent, timeoutMs);
      this.#timeouts = 0;
      return reply;
    } catch (error) {
      throw this.#failed(client, error, timeoutMs);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#goDown('closed', false);
    this.#client?.disconnect();
    this.#client = undefined;
  }

  #failed(client: Redis, error: unknown, timeoutMs: number): Error {
    if (error === undefined) {
      this.#timeouts++;
      if (this.#timeouts === tripAfter && client === this.#client) this.#open(client);
      return new RedisUnavailableError(`Redis did not answer within ${timeoutMs} ms`);
    }
    const message = error instanceof Error ? error.message : 'it failed';
    if (!isReply(error)) return new RedisUnavailableError(`Redis is away: ${message}`);
    if (wantsAnother.test(message)) this.#giveUp(client, message);
    return new RedisReplyError(message);
  }

  /** Opens the circuit, and asks whether it may be closed again. */
  #open(client: Redis): void {
    this.#goDown('it does not answer');
    withDeadline(client.ping(), connectMs).then(
      () => this.#goUp(client),
      () => this.#giveUp(client, 'it does not answer'),
    );
  }

  async #connect(): Promise<void> {
    let client: Redis | undefined;
    let problem: string | undefined;
    try {
      client = new Redis(clientOptions(this.options));
      const made = client;
      this.#client = made;
      // The first error says more than what follows from it.
      made.on('error', (error: Error) => (problem ??= error.message));
      made.on('close', () => this.#giveUp(made, problem ?? 'the connection was lost'));
      await withDeadline(
        made.connect().then(() => made.ping()),
        connectMs,
      );
      this.#goUp(made);
    } catch (error) {
      const reason = problem ?? (error instanceof Error ? error.message : 'it does not answer');
      if (client) this.#giveUp(client, reason);
      else this.#again(reason);
    }
  }

  #goUp(client: Redis): void {
    if (client !== this.#client || this.#isClosed) return;
    this.#isUp = true;
    this.#timeouts = 0;
    this.#pauseMs = pauses.first;
    this.#told = undefined;
    this.events.onUp?.();
  }

  #goDown(reason: string, tell = true): void {
    this.#isUp = false;
    this.#reason = reason;
    if (!tell || this.#told === reason) return;
    this.#told = reason;
    this.events.onDown?.(`${describeRedis(this.options.address)}: ${reason}`);
  }

  /** Another connection is made in its place. */
  #giveUp(client: Redis, reason: string): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    if (client.status !== 'close' && client.status !== 'end') client.disconnect();
    this.#again(reason);
  }

  #again(reason: string): void {
    if (this.#isClosed) return;
    this.#goDown(reason);
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, pauses.longest);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), pauseMs);
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
