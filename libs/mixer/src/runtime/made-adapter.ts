import type { Adapter, AdapterContext, AdapterKind } from '../adapters/adapter.js';
import type { PolicyHandler } from '../policy/policy.js';
import type { RuntimeRim } from './rim.js';

/** An adapter at work, with its timers. */
export class MadeAdapter {
  readonly #ends: (() => void)[] = [];
  #closed = false;
  #adapter: Adapter | undefined;

  private constructor(
    readonly handler: PolicyHandler,
    private readonly rim: RuntimeRim,
    private readonly warn: (message: string) => void,
  ) {}

  /**
   * @param waitMs so long the adapter may take to be made; one that comes later is closed
   * @throws (rejects) what the adapter throws, or that it was late
   */
  static async make(
    kind: AdapterKind,
    handler: PolicyHandler,
    rim: RuntimeRim,
    warn: (message: string) => void,
    waitMs: number,
  ): Promise<MadeAdapter> {
    const made = new MadeAdapter(handler, rim, warn);
    try {
      await made.#make(kind, waitMs);
      return made;
    } catch (error) {
      await made.close(waitMs).catch(() => undefined);
      throw error;
    }
  }

  /** @throws where there is none */
  get adapter(): Adapter {
    if (!this.#adapter) throw new Error('the adapter is not made');
    return this.#adapter;
  }

  #make(kind: AdapterKind, waitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = this.rim.later(() => reject(new Error(`was not ready within ${waitMs} ms`)), waitMs);
      const making = (async () => kind.make(this.handler.params, this.#context()))();
      making.then(
        (adapter) => {
          forget();
          if (typeof adapter !== 'object') reject(new Error('made no adapter'));
          else if (this.#closed) void closeAdapter(adapter).catch(() => undefined);
          else this.#adapter = adapter;
          resolve();
        },
        (error: unknown) => {
          forget();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #context(): AdapterContext {
    const { name, instances } = this.handler;
    return {
      handler: name,
      instances,
      now: this.rim.now,
      every: (ms, run) => this.#every(ms, run),
      warn: (message) => {
        if (!this.#closed) this.warn(message);
      },
    };
  }

  /** One run at a time; one that fails is told of, and the next comes. */
  #every(ms: number, run: () => unknown): void {
    if (this.#closed) return;
    let forget: (() => void) | undefined;
    const again = (): void => {
      if (!this.#closed) forget = this.rim.later(() => void once(), ms);
    };
    const once = async (): Promise<void> => {
      try {
        await run();
      } catch (error) {
        if (!this.#closed) this.warn(messageOf(error));
      }
      again();
    };
    again();
    this.#ends.push(() => forget?.());
  }

  /** @throws (rejects) what the adapter throws, or that it is late; its timers have ended all the same */
  async close(waitMs: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ends) end();
    if (this.#adapter) await this.#within(closeAdapter(this.#adapter), waitMs);
  }

  #within(closing: Promise<void>, waitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = this.rim.later(() => reject(new Error(`did not end within ${waitMs} ms`)), waitMs);
      closing.finally(forget).then(resolve, reject);
    });
  }
}

async function closeAdapter(adapter: Adapter): Promise<void> {
  await adapter.close?.();
}

const longestMessage = 500;

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text;
}
