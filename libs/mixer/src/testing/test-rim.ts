import type { RuntimeRim } from '../runtime/rim.js';

/** A clock that a test moves. */
export class TestRim implements RuntimeRim {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  readonly now = (): number => this.#now;

  readonly later = (run: () => void, ms: number): (() => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((one) => one !== timer));
  };

  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass; what is due runs in its order. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = end;
  }
}

/** After all promises that can go on by themselves. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
