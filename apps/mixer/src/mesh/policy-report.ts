import { type Diagnostic, formatDiagnostic, type ObjectRef } from '@seine/diagnostics';
import type { HandlerStatus, MixerPolicy, PolicyRule, RunningPolicy } from '@seine/mixer';

/** How it stands with a rule. */
export interface RuleReport {
  readonly name: string;
  /** `degraded`: some of it is left out, or a handler fails; `failed`: nothing of it is in force. */
  readonly state: 'ready' | 'degraded' | 'failed';
  readonly match: string;
  readonly actions: readonly { readonly handler: string; readonly instances: readonly string[] }[];
  readonly problems: readonly string[];
}

export interface PolicyReport {
  readonly revision: number;
  readonly rules: readonly RuleReport[];
  readonly handlers: readonly HandlerStatus[];
  readonly instances: readonly {
    readonly name: string;
    readonly template: string;
    readonly reads: readonly string[];
  }[];
  readonly quotas: readonly { readonly hosts: readonly string[]; readonly quotas: readonly string[] }[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

/** What mixer does at the moment, for whoever runs the mesh. */
export function policyReport({ policy, status }: RunningPolicy, revision: number): PolicyReport {
  const byName = new Map(status.map((one) => [one.name, one]));
  const inForce = policy.rules.map((rule) => ruleReport(rule, policy, byName));
  return {
    revision,
    rules: [...inForce, ...failedRules(policy)],
    handlers: status,
    instances: [...policy.instances.values()].map(({ name, template, reads }) => ({ name, template, reads })),
    quotas: policy.quotaBindings.map(({ hosts, rules }) => ({
      hosts: [...hosts],
      quotas: [...new Set(rules.flatMap(({ quotas }) => quotas.map(({ quota }) => quota)))],
    })),
    attributes: Object.fromEntries(policy.vocabulary),
    problems: policy.problems.map(formatDiagnostic),
  };
}

function ruleReport(
  { name, match, actions, object }: PolicyRule,
  policy: MixerPolicy,
  handlers: ReadonlyMap<string, HandlerStatus>,
): RuleReport {
  const referred = [object, ...actions.flatMap((one) => [one.handler.object, ...one.instances.map((of) => of.object)])];
  const wrong = referred.flatMap((one) => problemsOf(one, policy.problems));
  const failing = [...new Set(actions.map(({ handler }) => handler.name))].flatMap((handler) => {
    const status = handlers.get(handler);
    return status && status.state !== 'ready' ? [`${handler} is ${status.state}: ${status.message ?? ''}`] : [];
  });
  const problems = [...new Set([...wrong, ...failing])];
  return {
    name,
    state: problems.length > 0 ? 'degraded' : 'ready',
    match: match?.text ?? '',
    actions: actions.map(({ handler, instances }) => ({
      handler: handler.name,
      instances: instances.map((instance) => instance.name),
    })),
    problems,
  };
}

/** Rules of which nothing is left, by what is wrong with them. */
function failedRules({ rules, problems }: MixerPolicy): readonly RuleReport[] {
  const inForce = new Set(rules.map(({ name }) => name));
  const failed = new Map<string, ObjectRef>();
  for (const { object } of problems)
    if (object?.kind === 'rule') failed.set(`${object.name}.rule.${object.namespace ?? ''}`, object);
  return [...failed]
    .filter(([name]) => !inForce.has(name))
    .map(([name, object]) => ({
      name,
      state: 'failed',
      match: '',
      actions: [],
      problems: problemsOf(object, problems),
    }));
}

function problemsOf({ kind, namespace, name }: ObjectRef, problems: readonly Diagnostic[]): readonly string[] {
  return problems
    .filter(({ object }) => object?.kind === kind && object.namespace === namespace && object.name === name)
    .map(formatDiagnostic);
}
