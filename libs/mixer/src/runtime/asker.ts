import type { Adapter } from '../adapters/adapter.js';
import { Breaker } from './breaker.js';
import { messageOf } from './made-adapter.js';
import type { RuntimeRim } from './rim.js';
import type { DispatchFailure, Outcome } from './running-policy.js';

type MaybeLater<T> = T | Promise<T>;

/** So many requests wait for a handler at most. */
const mostWaiting = 1000;

export const failure = (reason: DispatchFailure['reason'], message: string): { readonly failure: DispatchFailure } => ({
  failure: { reason, message },
});

/** Asks one adapter, and bears what it does: throws, hangs, gives nonsense. */
export class Asker {
  readonly #breaker: Breaker;
  #waiting = 0;
  #idle: (() => void)[] = [];

  /** @param done is told of each outcome, and how long it took, ms */
  constructor(
    private readonly name: string,
    private readonly adapter: Adapter,
    private readonly rim: RuntimeRim,
    private readonly done: (failed: DispatchFailure | undefined, ms: number) => void,
  ) {
    this.#breaker = new Breaker(rim.now);
  }

  get isOverloaded(): boolean {
    return this.#breaker.isOpen;
  }

  /**
   * Never throws or rejects.
   * @param read makes a verdict of what the adapter gives; undefined = it is none
   */
  ask<T>(
    timeoutMs: number,
    call: (adapter: Adapter) => unknown,
    read: (answer: unknown) => T | undefined,
  ): MaybeLater<Outcome<T>> {
    const { rim, name } = this;
    if (this.#waiting >= mostWaiting)
      return this.#end(failure('overload', `${mostWaiting} requests wait for ${name}`), 0);
    if (!this.#breaker.enter()) return this.#end(failure('overload', `${name} does not answer in time`), 0);
    const start = rim.now();
    const judge = (answer: unknown): Outcome<T> => {
      this.#breaker.answered();
      const verdict = read(answer);
      const outcome = verdict === undefined ? failure('nonsense', `${name} gave no verdict`) : { verdict };
      return this.#end(outcome, rim.now() - start);
    };
    const refuse = (error: unknown): Outcome<T> => {
      this.#breaker.answered();
      return this.#end(failure('error', `${name}: ${messageOf(error)}`), rim.now() - start);
    };
    let answer: unknown;
    try {
      answer = call(this.adapter);
    } catch (error) {
      return refuse(error);
    }
    return isPromise(answer) ? this.#timed(answer, timeoutMs, judge, refuse) : judge(answer);
  }

  #timed<T>(
    answer: PromiseLike<unknown>,
    timeoutMs: number,
    judge: (answer: unknown) => Outcome<T>,
    refuse: (error: unknown) => Outcome<T>,
  ): Promise<Outcome<T>> {
    this.#waiting++;
    return new Promise((resolve) => {
      let isOver = false;
      const finish = (outcome: () => Outcome<T>): void => {
        if (isOver) return;
        isOver = true;
        forget();
        resolve(outcome());
        if (--this.#waiting === 0) for (const tell of this.#idle.splice(0)) tell();
      };
      const late = (): Outcome<T> => {
        this.#breaker.timedOut();
        return this.#end(failure('timeout', `${this.name} did not answer within ${timeoutMs} ms`), timeoutMs);
      };
      const forget = this.rim.later(() => finish(late), timeoutMs);
      answer.then(
        (value) => finish(() => judge(value)),
        (error: unknown) => finish(() => refuse(error)),
      );
    });
  }

  #end<T>(outcome: Outcome<T>, ms: number): Outcome<T> {
    this.done(outcome.failure, ms);
    return outcome;
  }

  /** Resolves when nobody waits for the adapter, or the time is over. */
  idle(mostMs: number): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const forget = this.rim.later(resolve, mostMs);
      this.#idle.push(() => {
        forget();
        resolve();
      });
    });
  }
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
