import { GrpcError, GrpcStatus } from '@seine/h2grpc';
import type {
  ActionOutputs,
  CheckDispatch,
  CheckVerdict,
  Directory,
  Dispatcher,
  MixerPolicy,
  Outcome,
  PolicyRule,
  RunningPolicy,
  Value,
} from '@seine/mixer';
import type { Caller } from '../part.js';
import { encodeAllowed, encodeRefused, type Refusal } from './answers.js';
import { CheckBag } from './attributes.js';
import { CheckMessage } from './check-message.js';
import type { CheckMetrics } from './check.metrics.js';
import { EndFinder, type Header } from './ends.js';
import { headerChanges } from './header-changes.js';
import { refusalOfChecks, refusalOfQuotas } from './refusal.js';
import { ResultCache } from './result-cache.js';
import { type MaybeLater, settle } from './settle.js';
import { RpcCode } from './rpc-code.js';
import { WireError } from './wire.js';

export interface CheckOptions {
  /** As it is now; undefined until there is one. */
  readonly policy: () => RunningPolicy | undefined;
  readonly directory: () => Directory;
  readonly dispatcher: Dispatcher;
  readonly metrics: CheckMetrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is found out once for each version of the policy. */
interface Version {
  readonly cache: ResultCache;
  readonly changesHeaders: boolean;
}

/** One question under way. */
interface Question {
  readonly running: RunningPolicy;
  /** As it was when the question came. */
  readonly policy: MixerPolicy;
  readonly version: Version;
  readonly bag: CheckBag;
}

type Checked = readonly (readonly [CheckDispatch, Outcome<CheckVerdict> | undefined])[];

/** envoy.service.auth.v3.Authorization without its transport: may this request go on, by Mixer's rules? */
export class CheckService {
  readonly #ends = new EndFinder();
  readonly #versions = new WeakMap<MixerPolicy, Version>();

  constructor(private readonly options: CheckOptions) {}

  /**
   * @param request a CheckRequest
   * @param header metadata of the call
   * @returns a CheckResponse; at once, where all adapters answer at once
   * @throws GrpcError where the request is none, its proxy speaks for others, or there is no policy yet
   */
  check(request: Buffer, caller: Caller, header?: Header): MaybeLater<Buffer> {
    const { policy: current, dispatcher } = this.options;
    const running = current();
    if (!running) throw new GrpcError(GrpcStatus.UNAVAILABLE, 'there is no policy yet');
    const { policy } = running;
    const question = {
      running,
      policy,
      version: this.#versionOf(policy),
      bag: this.#read(policy, request, caller, header),
    };
    const checks = dispatcher.resolveCheck(policy, question.bag);
    if (checks.length === 0) return this.#charge(question, []);
    // All are asked at once; in whichever order they answer, the first rule's word counts first.
    const answers = checks.map((dispatch) => this.#ask(question, dispatch));
    return settle(answers, (outcomes) => {
      this.#countFailures(checks, outcomes);
      const refusal = refusalOfChecks(checks, outcomes);
      if (refusal) return this.#refuse(refusal);
      return this.#charge(
        question,
        checks.map((dispatch, i) => [dispatch, outcomes[i]] as const),
      );
    });
  }

  #read(policy: MixerPolicy, request: Buffer, caller: Caller, header: Header | undefined): CheckBag {
    try {
      const message = new CheckMessage(request);
      return new CheckBag(message, this.#ends.find(message, caller, this.options.directory(), header), policy);
    } catch (error) {
      if (error instanceof WireError)
        throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, `this is no CheckRequest: ${error.message}`);
      throw error;
    }
  }

  #versionOf(policy: MixerPolicy): Version {
    const known = this.#versions.get(policy);
    if (known) return known;
    const changesHeaders = policy.rules.some(
      ({ requestHeaders, responseHeaders }) => requestHeaders.length + responseHeaders.length > 0,
    );
    const version = { cache: new ResultCache(), changesHeaders };
    this.#versions.set(policy, version);
    return version;
  }

  #ask({ running, version: { cache }, bag }: Question, dispatch: CheckDispatch): MaybeLater<Outcome<CheckVerdict>> {
    const { now, metrics } = this.options;
    const key = cache.keyOf(dispatch, bag);
    const found = cache.find(key, now());
    if (found) {
      metrics.cacheHits++;
      return { verdict: found };
    }
    metrics.cacheMisses++;
    const keep = (outcome: Outcome<CheckVerdict>): Outcome<CheckVerdict> => {
      if (outcome.verdict) cache.keep(key, outcome.verdict, now());
      return outcome;
    };
    const outcome = running.check(dispatch, bag);
    return outcome instanceof Promise ? outcome.then(keep) : keep(outcome);
  }

  /** Quotas are charged for requests that no check refuses, and never from memory. */
  #charge(question: Question, checked: Checked): MaybeLater<Buffer> {
    const { running, policy, bag } = question;
    const quotas = this.options.dispatcher.resolveQuota(policy, bag);
    if (quotas.length === 0) return this.#allow(question, checked);
    const answers = quotas.map((dispatch) =>
      running.quota(dispatch, bag, { amount: dispatch.amount, bestEffort: false }),
    );
    return settle(answers, (outcomes) => {
      this.#countFailures(quotas, outcomes);
      const refusal = refusalOfQuotas(quotas, outcomes);
      return refusal ? this.#refuse(refusal) : this.#allow(question, checked);
    });
  }

  #allow({ policy, version, bag }: Question, checked: Checked): Buffer {
    this.options.metrics.decided(RpcCode.OK);
    if (!version.changesHeaders) return encodeAllowed();
    const rules = this.options.dispatcher.rules(policy, bag);
    return encodeAllowed(headerChanges(rules, bag, (rule) => outputsOf(rule, checked)));
  }

  #refuse(refusal: Refusal): Buffer {
    this.options.metrics.decided(refusal.code);
    return encodeRefused(refusal);
  }

  #countFailures(dispatches: readonly { readonly rule: PolicyRule }[], outcomes: readonly Outcome<unknown>[]): void {
    for (const [i, { rule }] of dispatches.entries())
      if (rule.failOpen === true && outcomes[i]?.failure) this.options.metrics.passedUnchecked++;
  }
}

/** What adapters gave for the named actions of a rule. */
function outputsOf(rule: PolicyRule, checked: Checked): ActionOutputs {
  const outputs = new Map<string, ReadonlyMap<string, Value>>();
  for (const [{ rule: of, action }, outcome] of checked) {
    const output = outcome?.verdict?.output;
    if (of === rule && action.name !== undefined && output) outputs.set(action.name, output);
  }
  return outputs;
}
