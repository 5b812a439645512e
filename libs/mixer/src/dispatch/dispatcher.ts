import type { AttributeBag } from '../attributes/value-type.js';
import type {
  CheckDispatch,
  Dispatch,
  MixerPolicy,
  PolicyInstance,
  PolicyRule,
  QuotaDispatch,
  QuotaRule,
  ReportDispatch,
} from '../policy/policy.js';
import type { CheckTemplate, ReportTemplate } from '../templates/template.js';
import { withDerived } from './derived-attributes.js';
import { Sampler } from './sampler.js';

/** Which of a policy's rules are about a request, and which handlers get which instances because of them. */
export interface Dispatcher {
  /** Rules with something to check or to charge, or headers to change, whose match holds; those of the root namespace first. */
  rules(policy: MixerPolicy, bag: AttributeBag): readonly PolicyRule[];
  /** What must be asked before the request goes on. */
  resolveCheck(policy: MixerPolicy, bag: AttributeBag): readonly CheckDispatch[];
  /** What is charged, by the QuotaSpecs bound to `destination.service.host`; each instance once. */
  resolveQuota(policy: MixerPolicy, bag: AttributeBag): readonly QuotaDispatch[];
  /** What is told afterwards, as far as the rules' sampling takes it. */
  resolveReport(policy: MixerPolicy, bag: AttributeBag): readonly ReportDispatch[];
}

export interface DispatcherOptions {
  /** Whose rules are for the whole mesh. */
  readonly rootNamespace: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** A rule with what it hands over, by variety. */
interface Entry {
  readonly rule: PolicyRule;
  readonly check: readonly CheckDispatch[];
  readonly quota: readonly Dispatch<'quota'>[];
  readonly report: readonly ReportDispatch[];
}

/** The rules that are about requests of one namespace, those of the mesh first. */
interface Scope {
  /** With something to check or to charge, or headers to change. */
  readonly before: readonly Entry[];
  readonly check: readonly Entry[];
  readonly quota: readonly Entry[];
  readonly report: readonly Entry[];
}

const checkTemplates: ReadonlySet<string> = new Set<CheckTemplate>([
  'checknothing',
  'listentry',
  'authorization',
  'apikey',
]);
const reportTemplates: ReadonlySet<string> = new Set<ReportTemplate>([
  'reportnothing',
  'logentry',
  'metric',
  'tracespan',
  'edge',
]);

/** What is known of a policy beforehand. */
class PolicyIndex {
  readonly #entries: readonly Entry[];
  readonly #scopes = new Map<string, Scope>();
  readonly #quotasByHost = new Map<string, readonly QuotaRule[]>();
  readonly #namespaces: ReadonlySet<string>;

  constructor(
    private readonly policy: MixerPolicy,
    private readonly rootNamespace: string,
  ) {
    this.#entries = policy.rules.map(entryOf);
    this.#namespaces = new Set(policy.rules.map(({ namespace }) => namespace));
    const hosts = new Set(policy.quotaBindings.flatMap((binding) => [...binding.hosts]));
    const forAll = this.#quotasOf('*');
    for (const host of hosts) if (host !== '*') this.#quotasByHost.set(host, [...forAll, ...this.#quotasOf(host)]);
    this.#quotasByHost.set('*', forAll);
  }

  #quotasOf(host: string): readonly QuotaRule[] {
    return this.policy.quotaBindings.flatMap(({ hosts, rules }) => (hosts.has(host) ? rules : []));
  }

  quotas(host: string): readonly QuotaRule[] {
    return this.#quotasByHost.get(host) ?? this.#quotasByHost.get('*') ?? [];
  }

  /** Namespaces without rules share a scope: clients choose the names of namespaces that there are not. */
  scope(namespace: string): Scope {
    const key = this.#namespaces.has(namespace) ? namespace : this.rootNamespace;
    const known = this.#scopes.get(key) ?? this.#scopeOf(key);
    this.#scopes.set(key, known);
    return known;
  }

  #scopeOf(namespace: string): Scope {
    const { rootNamespace } = this;
    const ofMesh = this.#entries.filter(({ rule }) => rule.namespace === rootNamespace);
    const own = this.#entries.filter(({ rule }) => rule.namespace === namespace);
    const all = namespace === rootNamespace ? ofMesh : [...ofMesh, ...own];
    const hasHeaders = ({ rule }: Entry): boolean => rule.requestHeaders.length + rule.responseHeaders.length > 0;
    return {
      before: all.filter((entry) => entry.check.length + entry.quota.length > 0 || hasHeaders(entry)),
      check: all.filter(({ check }) => check.length > 0),
      quota: all.filter(({ quota }) => quota.length > 0),
      report: all.filter(({ report }) => report.length > 0),
    };
  }
}

function entryOf(rule: PolicyRule): Entry {
  const all = rule.actions.flatMap((action) =>
    action.instances.map((instance): Dispatch => Object.freeze({ rule, action, handler: action.handler, instance })),
  );
  return {
    rule,
    check: all.filter((one): one is CheckDispatch => checkTemplates.has(one.instance.template)),
    quota: all.filter((one): one is Dispatch<'quota'> => one.instance.template === 'quota'),
    report: all.filter((one): one is ReportDispatch => reportTemplates.has(one.instance.template)),
  };
}

/** The namespace whose rules are about a request: that of the workload whose proxy asks or tells (Istio 1.1). */
function namespaceOf(bag: AttributeBag): string {
  const side = bag.get('context.reporter.kind') === 'outbound' ? 'source.namespace' : 'destination.namespace';
  const namespace = bag.get(side);
  return typeof namespace === 'string' ? namespace : '';
}

/** A match without a value is none. */
function matches({ match }: PolicyRule, bag: AttributeBag): boolean {
  return match === undefined || match.evaluate(bag) === true;
}

const none: readonly never[] = Object.freeze([]);

/** Finds what rules ask for; what is known of a policy is remembered as long as the policy is. */
export class RuleDispatcher implements Dispatcher {
  readonly #indexes = new WeakMap<MixerPolicy, PolicyIndex>();
  readonly #sampler: Sampler;

  constructor(private readonly options: DispatcherOptions) {
    this.#sampler = new Sampler(options.now, options.random);
  }

  rules(policy: MixerPolicy, given: AttributeBag): readonly PolicyRule[] {
    const bag = withDerived(policy, given, this.options.rootNamespace);
    const { before } = this.#index(policy).scope(namespaceOf(bag));
    const found: PolicyRule[] = [];
    for (const { rule } of before) if (matches(rule, bag)) found.push(rule);
    return found;
  }

  resolveCheck(policy: MixerPolicy, given: AttributeBag): readonly CheckDispatch[] {
    const bag = withDerived(policy, given, this.options.rootNamespace);
    const { check } = this.#index(policy).scope(namespaceOf(bag));
    if (check.length === 0) return none;
    const found: CheckDispatch[] = [];
    for (const entry of check) if (matches(entry.rule, bag)) found.push(...entry.check);
    return found;
  }

  resolveQuota(policy: MixerPolicy, given: AttributeBag): readonly QuotaDispatch[] {
    const bag = withDerived(policy, given, this.options.rootNamespace);
    const index = this.#index(policy);
    const host = bag.get('destination.service.host');
    const rules = index.quotas(typeof host === 'string' ? host : '');
    if (rules.length === 0) return none;
    const charges = chargesOf(rules, bag);
    if (charges.size === 0) return none;
    const found: QuotaDispatch[] = [];
    const seen = new Set<PolicyInstance>();
    for (const { rule, quota } of index.scope(namespaceOf(bag)).quota) {
      const asked = quota.filter(({ instance }) => !seen.has(instance) && chargeOf(charges, instance) !== undefined);
      if (asked.length === 0 || !matches(rule, bag)) continue;
      for (const dispatch of asked) {
        seen.add(dispatch.instance);
        found.push({ ...dispatch, amount: chargeOf(charges, dispatch.instance) ?? 1 });
      }
    }
    return found;
  }

  resolveReport(policy: MixerPolicy, given: AttributeBag): readonly ReportDispatch[] {
    const bag = withDerived(policy, given, this.options.rootNamespace);
    const { report } = this.#index(policy).scope(namespaceOf(bag));
    if (report.length === 0) return none;
    const found: ReportDispatch[] = [];
    for (const { rule, report: dispatches } of report) {
      if (!matches(rule, bag) || !this.#sampler.takes(rule, bag)) continue;
      for (const dispatch of dispatches) found.push(dispatch);
    }
    return found;
  }

  #index(policy: MixerPolicy): PolicyIndex {
    let index = this.#indexes.get(policy);
    if (!index) this.#indexes.set(policy, (index = new PolicyIndex(policy, this.options.rootNamespace)));
    return index;
  }
}

/** What each quota costs this request, by its name as written and by its short name. */
function chargesOf(rules: readonly QuotaRule[], bag: AttributeBag): ReadonlyMap<string, number> {
  const charges = new Map<string, number>();
  for (const { matches: clauses, quotas } of rules) {
    if (clauses.length > 0 && !clauses.some((clause) => clause(bag))) continue;
    for (const { quota, charge } of quotas) charges.set(quota, (charges.get(quota) ?? 0) + charge);
  }
  return charges;
}

/** A quota is named as its instance is: `requestcount`, `requestcount.quota` or in full. */
function chargeOf(charges: ReadonlyMap<string, number>, { name, object }: PolicyInstance): number | undefined {
  return charges.get(object.name) ?? charges.get(`${object.name}.${object.kind}`) ?? charges.get(name);
}
