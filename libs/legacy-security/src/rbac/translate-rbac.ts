import type { AccessRule, Condition, Operation, Rule, ServiceRole, ServiceRoleBinding } from '@seine/istio';
import type { DerivedObjects } from '../derived.js';
import type { Inputs } from '../input.js';
import type { Messages } from '../messages.js';
import { addEnforcement, dryRun, type Enforcement, enforcementOf } from './enforcement.js';
import { isOnWorkload, roleTargets } from './role-targets.js';
import { type RoleSource, subjectSource } from './subjects.js';

/**
 * ClusterRbacConfig (RbacConfig), ServiceRole and ServiceRoleBinding: AuthorizationPolicies that allow nothing where
 * roles decide, and one for each service of a role that allows what the role says to its subjects.
 */
export function translateRbac(inputs: Inputs, derived: DerivedObjects, messages: Messages): void {
  const enforcement = enforcementOf(inputs, messages);
  if (!enforcement) return;
  addEnforcement(enforcement, inputs, derived, messages);
  const roles = inputs.roles();
  const bindings = inputs.bindings();
  for (const role of roles) {
    const of = bindings.filter(
      ({ metadata, spec }) =>
        metadata.namespace === role.metadata.namespace && spec.roleRef?.name === role.metadata.name,
    );
    const isShadow = ({ spec }: ServiceRoleBinding): boolean => spec.mode === 'PERMISSIVE';
    const parts = [
      { bindings: of.filter((binding) => !isShadow(binding)), shadow: false },
      { bindings: of.filter(isShadow), shadow: true },
    ];
    for (const part of parts)
      if (part.bindings.length > 0)
        addRole(role, part.bindings, part.shadow, { inputs, enforcement, derived, messages });
  }
  bindings.forEach((binding) => {
    const { namespace } = binding.metadata;
    const { name = '' } = binding.spec.roleRef ?? {};
    if (!roles.some(({ metadata }) => metadata.namespace === namespace && metadata.name === name))
      messages.warn(binding, 'spec.roleRef.name', `There is no ServiceRole ${name} in namespace ${namespace}.`);
  });
}

interface Context {
  readonly inputs: Inputs;
  readonly enforcement: Enforcement;
  readonly derived: DerivedObjects;
  readonly messages: Messages;
}

function addRole(role: ServiceRole, bindings: readonly ServiceRoleBinding[], shadow: boolean, context: Context): void {
  const { inputs, enforcement, derived, messages } = context;
  const sources = bindings.flatMap((binding) =>
    (binding.spec.subjects ?? []).flatMap(
      (subject, i) => subjectSource(subject, binding, `spec.subjects[${i}]`, messages) ?? [],
    ),
  );
  const annotations = shadow || enforcement.permissive ? dryRun : {};
  (role.spec.rules ?? []).forEach((rule, at) => {
    const what = allowed(rule, role, `spec.rules[${at}]`, messages);
    if (!what || sources.length === 0) return;
    for (const { name, selector } of roleTargets(role, at, inputs, enforcement, messages))
      derived.add({
        kind: 'AuthorizationPolicy',
        namespace: role.metadata.namespace,
        name: shadow ? `${name}-permissive` : name,
        spec: { selector: { matchLabels: selector }, rules: rulesOf(sources, what) },
        parents: [role, ...bindings],
        annotations,
      });
  });
}

interface Allowed {
  readonly operation: Operation;
  readonly when: readonly Condition[];
}

const attribute =
  /^(destination\.(ip|port)|connection\.sni|request\.headers\[[^\]]+\]|experimental\.envoy\.filters\..+)$/;

const texts = ['hosts', 'notHosts', 'paths', 'notPaths', 'methods', 'notMethods'] as const;
const numbers = ['ports', 'notPorts'] as const;

function operationOf(rule: AccessRule): Operation {
  const fields = [
    ...texts.map((field) => [field, rule[field] ?? []] as const),
    ...numbers.map((field) => [field, (rule[field] ?? []).map(String)] as const),
  ];
  return Object.fromEntries(fields.filter(([, values]) => values.length > 0));
}

/** What a rule of a role allows; undefined where that cannot be said: then nothing. */
function allowed(rule: AccessRule, role: ServiceRole, path: string, messages: Messages): Allowed | undefined {
  const operation = operationOf(rule);
  const constraints = (rule.constraints ?? []).map(({ key = '', values = [] }, i) => ({ key, values, i }));
  const asked = constraints.filter(({ key }) => !isOnWorkload(key));
  const unknown = asked.filter(({ key }) => !attribute.test(key));
  for (const { key, i } of unknown)
    messages.warn(
      role,
      `${path}.constraints[${i}].key`,
      `${JSON.stringify(key)} is nothing that can be asked of a request today, so the rule allows nothing. There are destination.labels[…], destination.name, destination.namespace, destination.ip, destination.port, connection.sni and request.headers[…].`,
    );
  return unknown.length > 0 ? undefined : { operation, when: asked.map(({ key, values }) => ({ key, values })) };
}

/** One rule for all subjects that are sources alone, and one for each that needs conditions of its own. */
function rulesOf(sources: readonly RoleSource[], { operation, when }: Allowed): readonly Rule[] {
  const rule = (from: NonNullable<Rule['from']>, own: readonly Condition[]): Rule => ({
    ...(from.length > 0 && { from }),
    ...(Object.keys(operation).length > 0 && { to: [{ operation }] }),
    ...(own.length + when.length > 0 && { when: [...own, ...when] }),
  });
  const plain = sources.flatMap((one) => (one.source && one.when.length === 0 ? [{ source: one.source }] : []));
  const others = sources.filter((one) => !one.source || one.when.length > 0);
  return [
    ...(plain.length > 0 ? [rule(plain, [])] : []),
    ...others.map((one) => rule(one.source ? [{ source: one.source }] : [], one.when)),
  ];
}
