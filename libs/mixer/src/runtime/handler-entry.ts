import type { Adapter, AdapterKind } from '../adapters/adapter.js';
import type { PolicyHandler } from '../policy/policy.js';
import type { ReportTemplate, Templates } from '../templates/template.js';
import { Asker, failure, isPromise } from './asker.js';
import { MadeAdapter, messageOf } from './made-adapter.js';
import { ReportQueue } from './report-queue.js';
import type { RuntimeEvents, RuntimeRim } from './rim.js';
import type { DispatchFailure, HandlerStatus, Outcome } from './running-policy.js';

export interface EntryOptions {
  readonly rim: RuntimeRim;
  readonly events: RuntimeEvents;
}

type MaybeLater<T> = T | Promise<T>;

/** So long an adapter may take to be made, ms. */
const makeMs = 10_000;
/** Between two tries to make one, ms: twice as long each time, from the first to the second. */
const retryMs = [1000, 30_000] as const;
/** So long it may take over reports, ms. */
const reportMs = 10_000;
/** So long an adapter may take to end, ms; then nobody waits for it any more. */
const closeMs = 10_000;
/** So long those who have asked may still be answered before an adapter is closed, ms. */
const drainMs = 5000;

/** A version of a handler that is at work. */
interface Version {
  readonly made: MadeAdapter;
  readonly asker: Asker;
}

/** A handler through all of its versions: the newest that could be made is at work. */
export class HandlerEntry {
  /** As it is to be. */
  #wanted: PolicyHandler | undefined;
  #version: Version | undefined;
  #making: Promise<void> | undefined;
  #forgetRetry: (() => void) | undefined;
  #retries = 0;
  readonly #queues = new Map<ReportTemplate, ReportQueue>();
  #message: string | undefined;
  #failed = false;
  #since: number;
  #dispatches = 0;
  #failures = 0;
  #closed = false;

  constructor(
    readonly name: string,
    private readonly options: EntryOptions,
  ) {
    this.#since = options.rim.now();
  }

  get wanted(): PolicyHandler | undefined {
    return this.#wanted;
  }

  /** Makes a new version; the one at work stays so until then, and where it cannot be made. */
  want(handler: PolicyHandler, kind: AdapterKind): void {
    this.#wanted = handler;
    this.#retries = 0;
    this.#forgetRetry?.();
    this.#making = this.#make(handler, kind);
  }

  async #make(handler: PolicyHandler, kind: AdapterKind): Promise<void> {
    const { rim, events } = this.options;
    try {
      const made = await MadeAdapter.make(kind, handler, rim, (message) => this.#warn(message), makeMs);
      events.handlerMade?.(this.name, handler.adapter, true);
      const version = { made, asker: new Asker(this.name, made.adapter, rim, this.#count) };
      if (this.#closed || this.#wanted !== handler) await this.#close(version);
      else this.#use(version);
    } catch (error) {
      events.handlerMade?.(this.name, handler.adapter, false);
      if (this.#closed || this.#wanted !== handler) return;
      this.#failed = true;
      this.#since = rim.now();
      this.#warn(`cannot be made: ${messageOf(error)}`);
      this.#retryLater(handler, kind);
    }
  }

  #use(version: Version): void {
    const before = this.#version;
    this.#version = version;
    this.#retries = 0;
    this.#failed = false;
    this.#message = undefined;
    this.#since = this.options.rim.now();
    if (before) void this.#close(before);
  }

  #retryLater(handler: PolicyHandler, kind: AdapterKind): void {
    const [shortest, longest] = retryMs;
    const wait = Math.min(shortest * 2 ** this.#retries++, longest);
    this.#forgetRetry = this.options.rim.later(() => {
      if (!this.#closed && this.#wanted === handler) this.#making = this.#make(handler, kind);
    }, wait);
  }

  /** After those who have asked it are answered. */
  async #close({ made, asker }: Version): Promise<void> {
    const { name, adapter } = made.handler;
    await asker.idle(drainMs);
    try {
      await made.close(closeMs);
      this.options.events.handlerClosed?.(name, adapter, true);
    } catch (error) {
      this.options.events.handlerClosed?.(name, adapter, false);
      this.#warn(`cannot be closed: ${messageOf(error)}`);
    }
  }

  #warn(message: string): void {
    this.#message = message;
    this.options.events.warned?.(this.name, message);
  }

  /**
   * Asks the adapter. Never throws or rejects.
   * @param read makes a verdict of what the adapter gives; undefined = it is none
   */
  ask<T>(
    timeoutMs: number,
    call: (adapter: Adapter) => unknown,
    read: (answer: unknown) => T | undefined,
  ): MaybeLater<Outcome<T>> {
    if (this.#version) return this.#version.asker.ask(timeoutMs, call, read);
    const making = this.#making;
    if (!making || this.#failed) return this.#none();
    // The first version is on its way: requests come before it does when mixer starts.
    return new Promise((resolve) => {
      const forget = this.options.rim.later(() => {
        const late = failure('timeout', `${this.name} is not ready`);
        this.#count(late.failure, timeoutMs);
        resolve(late);
      }, timeoutMs);
      void making.then(() => {
        forget();
        resolve(this.#version ? this.#version.asker.ask(timeoutMs, call, read) : this.#none());
      });
    });
  }

  #none(): { readonly failure: DispatchFailure } {
    const none = failure('no-handler', `there is no handler ${this.name}: ${this.#message ?? 'it is not made'}`);
    this.#count(none.failure, 0);
    return none;
  }

  readonly #count = (failed: DispatchFailure | undefined, ms: number): void => {
    this.#dispatches++;
    if (failed) {
      this.#failures++;
      this.#message = failed.message;
    }
    this.options.events.dispatched?.(this.name, this.#adapterName, ms, failed !== undefined);
  };

  get #adapterName(): string {
    return this.#wanted?.adapter ?? '';
  }

  /** Gathers a report. */
  report(template: ReportTemplate, report: Templates[ReportTemplate]): void {
    let queue = this.#queues.get(template);
    if (!queue) {
      queue = new ReportQueue({
        send: (reports) => this.#send(template, reports),
        dropped: (count) => this.#drop(count),
        later: this.options.rim.later,
      });
      this.#queues.set(template, queue);
    }
    queue.add(report);
  }

  #send(template: ReportTemplate, reports: readonly Templates[ReportTemplate][]): void | Promise<void> {
    const outcome = this.ask(
      reportMs,
      (adapter) => (adapter[template] as ((list: readonly unknown[]) => unknown) | undefined)?.(reports),
      () => true,
    );
    if (isPromise(outcome)) return outcome.then(({ failure: failed }) => this.#drop(failed ? reports.length : 0));
    this.#drop(outcome.failure ? reports.length : 0);
  }

  #drop(count: number): void {
    if (count > 0) this.options.events.dropped?.(this.name, this.#adapterName, count);
  }

  /** Hands over what waits. */
  flush(): void {
    for (const queue of this.#queues.values()) queue.flush();
  }

  /** Hands over what waits, and lets go of the adapter. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetRetry?.();
    await this.#drain();
    if (this.#version) await this.#close(this.#version);
    this.#version = undefined;
  }

  async #drain(): Promise<void> {
    const drained = Promise.all([...this.#queues.values()].map((queue) => queue.drain()));
    let forget = (): void => undefined;
    const late = new Promise<void>((resolve) => (forget = this.options.rim.later(resolve, drainMs)));
    await Promise.race([drained, late]);
    forget();
  }

  get status(): HandlerStatus {
    return {
      name: this.name,
      adapter: this.#adapterName,
      state: this.#state,
      message: this.#message,
      since: this.#since,
      dispatches: this.#dispatches,
      failures: this.#failures,
    };
  }

  get #state(): HandlerStatus['state'] {
    if (!this.#version) return this.#failed ? 'failed' : 'starting';
    if (this.#failed) return 'stale';
    return this.#version.asker.isOverloaded ? 'overload' : 'ready';
  }
}
