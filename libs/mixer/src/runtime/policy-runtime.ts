import { deepEqual } from '@seine/memo';
import type { AdapterKind, CheckVerdict, QuotaRequest, QuotaVerdict } from '../adapters/adapter.js';
import type { AttributeBag } from '../attributes/value-type.js';
import { type AdapterCatalog, adapterCatalog } from '../policy/compile-handler.js';
import type {
  CheckDispatch,
  Dispatch,
  MixerPolicy,
  PolicyHandler,
  QuotaDispatch,
  ReportDispatch,
} from '../policy/policy.js';
import type { TemplateName, Templates } from '../templates/template.js';
import { withDerived } from '../dispatch/derived-attributes.js';
import { HandlerEntry } from './handler-entry.js';
import { messageOf } from './made-adapter.js';
import type { RuntimeEvents, RuntimeRim } from './rim.js';
import type { DispatchFailure, HandlerStatus, Outcome, RunningPolicy } from './running-policy.js';
import { readCheckVerdict, readQuotaVerdict } from './verdicts.js';

export interface PolicyRuntimeOptions {
  readonly adapters: readonly AdapterKind[];
  readonly rim: RuntimeRim;
  readonly events?: RuntimeEvents | undefined;
  /** How long adapters are waited for where a rule does not say, ms; default 500. */
  readonly timeoutMs?: number | undefined;
  /** Whose rules are for the whole mesh; default `istio-system`. */
  readonly rootNamespace?: string | undefined;
}

const defaultTimeoutMs = 500;

type MaybeLater<T> = T | Promise<T>;

/** The handlers of a policy at work, through all of its versions. */
export class PolicyRuntime implements RunningPolicy {
  readonly #entries = new Map<string, HandlerEntry>();
  readonly #catalog: AdapterCatalog;
  readonly #events: RuntimeEvents;
  readonly #timeoutMs: number;
  #policy: MixerPolicy;

  constructor(
    policy: MixerPolicy,
    private readonly options: PolicyRuntimeOptions,
  ) {
    this.#catalog = adapterCatalog(options.adapters);
    this.#events = options.events ?? {};
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#policy = policy;
    this.apply(policy);
  }

  get policy(): MixerPolicy {
    return this.#policy;
  }

  get status(): readonly HandlerStatus[] {
    return [...this.#entries.values()].map(({ status }) => status);
  }

  /** Makes the handlers that are new or have changed, and lets go of those that are gone. */
  apply(policy: MixerPolicy): void {
    this.#policy = policy;
    for (const handler of policy.handlers.values()) this.#want(handler);
    for (const [name, entry] of this.#entries) {
      if (policy.handlers.has(name)) continue;
      this.#entries.delete(name);
      void entry.close();
    }
  }

  #want(handler: PolicyHandler): void {
    const kind = this.#catalog.get(handler.adapter);
    if (!kind) return;
    const entry =
      this.#entries.get(handler.name) ??
      new HandlerEntry(handler.name, { rim: this.options.rim, events: this.#events });
    this.#entries.set(handler.name, entry);
    if (!entry.wanted || !isSame(entry.wanted, handler)) entry.want(handler, kind);
  }

  check(dispatch: CheckDispatch, bag: AttributeBag): MaybeLater<Outcome<CheckVerdict>> {
    const instance = this.#make(dispatch, bag);
    if ('failure' in instance) return instance;
    const { template } = dispatch.instance;
    return this.#ask(
      dispatch,
      // The template says which instance it is.
      (adapter) => (adapter[template] as ((one: unknown) => unknown) | undefined)?.(instance.made),
      readCheckVerdict,
    );
  }

  quota(dispatch: QuotaDispatch, bag: AttributeBag, request: QuotaRequest): MaybeLater<Outcome<QuotaVerdict>> {
    const instance = this.#make(dispatch, bag);
    if ('failure' in instance) return instance;
    return this.#ask(
      dispatch,
      (adapter) => adapter.quota?.(instance.made, request),
      (answer) => readQuotaVerdict(answer, request.amount),
    );
  }

  report(dispatch: ReportDispatch, bag: AttributeBag): void {
    const instance = this.#make(dispatch, bag);
    if ('failure' in instance) return;
    const entry = this.#entries.get(dispatch.handler.name);
    if (entry) entry.report(dispatch.instance.template, instance.made);
    else this.#events.dropped?.(dispatch.handler.name, dispatch.handler.adapter, 1);
  }

  #ask<T>(
    { handler, rule }: Dispatch,
    call: Parameters<HandlerEntry['ask']>[1],
    read: (answer: unknown) => T | undefined,
  ): MaybeLater<Outcome<T>> {
    const entry = this.#entries.get(handler.name);
    if (!entry) return { failure: { reason: 'no-handler', message: `there is no handler ${handler.name}` } };
    return entry.ask(rule.timeoutMs ?? this.#timeoutMs, call, read);
  }

  #make<T extends TemplateName>(
    { instance }: Dispatch<T>,
    given: AttributeBag,
  ): { readonly made: Templates[T] } | { readonly failure: DispatchFailure } {
    const bag = withDerived(this.#policy, given, this.options.rootNamespace ?? 'istio-system');
    try {
      const made = instance.make(bag, () => this.#events.cut?.(instance.name));
      if (made !== undefined) return { made };
    } catch (error) {
      return { failure: { reason: 'error', message: `${instance.name}: ${messageOf(error)}` } };
    }
    this.#events.noValue?.(instance.name);
    return {
      failure: {
        reason: 'no-value',
        message: `${instance.name} cannot be made: some of its expressions have no value`,
      },
    };
  }

  /** Hands over the reports that wait. */
  flush(): void {
    for (const entry of this.#entries.values()) entry.flush();
  }

  /** Lets go of all handlers. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => entry.close()));
  }
}

function isSame(a: PolicyHandler, b: PolicyHandler): boolean {
  return a === b || (a.adapter === b.adapter && deepEqual(a.params, b.params) && deepEqual(a.instances, b.instances));
}
