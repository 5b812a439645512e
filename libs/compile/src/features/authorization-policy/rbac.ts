import type { MessageInitShape } from '@bufbuild/protobuf';
import { type RBACSchema, RBAC_Action } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import type { AuthorizationPolicy } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { emitRule, type PolicyInit, type RuleContext } from './rule.js';

export type RbacInit = MessageInitShape<typeof RBACSchema>;
export type Protocol = RuleContext['protocol'];
export type Action = 'ALLOW' | 'DENY' | 'AUDIT';

/** Rules that are enforced, and those that are only counted (annotation `istio.io/dry-run: "true"`). */
export interface RbacRules {
  readonly rules: RbacInit | undefined;
  readonly shadowRules: RbacInit | undefined;
  readonly shadowRulesStatPrefix: string;
}

const actions: Readonly<Record<Action, RBAC_Action>> = {
  ALLOW: RBAC_Action.ALLOW,
  DENY: RBAC_Action.DENY,
  AUDIT: RBAC_Action.LOG,
};

const shadowPrefixes: Readonly<Record<Action, string>> = {
  ALLOW: 'istio_dry_run_allow_',
  DENY: 'istio_dry_run_deny_',
  AUDIT: 'istio_dry_run_audit_',
};

/** A policy that holds for nobody and nothing. */
const never: PolicyInit = {
  permissions: [{ rule: { case: 'notRule', value: { rule: { case: 'any', value: true } } } }],
  principals: [{ identifier: { case: 'notId', value: { identifier: { case: 'any', value: true } } } }],
};

export function isDryRun({ metadata }: AuthorizationPolicy): boolean {
  return metadata.annotations?.['istio.io/dry-run'] === 'true';
}

export function ruleName({ metadata }: AuthorizationPolicy, index: number): string {
  return `ns[${metadata.namespace}]-policy[${metadata.name}]-rule[${index}]`;
}

/** The policies of a config's rules by name; on TCP ports DENY keeps what it can judge, ALLOW leaves the rule out. */
export function emitPolicies(
  policies: readonly AuthorizationPolicy[],
  protocol: Protocol,
  config: MeshConfig,
  { keepRest, nameOf }: { readonly keepRest: boolean; readonly nameOf: (rule: string) => string },
): Record<string, PolicyInit> {
  const trustDomains = [config.trustDomain, ...(config.trustDomainAliases ?? [])];
  const emitted: Record<string, PolicyInit> = {};
  for (const policy of policies) {
    const context = { protocol, namespace: policy.metadata.namespace, trustDomains };
    (policy.spec.rules ?? []).forEach((rule, i) => {
      const made = emitRule(rule, context, keepRest);
      if (made) emitted[nameOf(ruleName(policy, i))] = made;
    });
  }
  return emitted;
}

function emitAction(
  policies: readonly AuthorizationPolicy[],
  action: Action,
  protocol: Protocol,
  config: MeshConfig,
): RbacInit | undefined {
  if (policies.length === 0) return undefined;
  const made = emitPolicies(policies, protocol, config, { keepRest: action === 'DENY', nameOf: (rule) => rule });
  if (action === 'ALLOW') {
    // An ALLOW policy without rules allows nothing, and makes "denied" what nothing else allows.
    for (const policy of policies) if (!policy.spec.rules?.length) made[ruleName(policy, 0)] = never;
  } else if (Object.keys(made).length === 0) return undefined;
  return { action: actions[action], policies: made };
}

/** What the policies of one action come to; undefined when that is nothing. */
export function emitRbac(
  all: readonly AuthorizationPolicy[],
  action: Action,
  protocol: Protocol,
  config: MeshConfig,
): RbacRules | undefined {
  const ours = all.filter(({ spec }) => (spec.action ?? 'ALLOW') === action);
  const [shadow, enforced] = [ours.filter(isDryRun), ours.filter((policy) => !isDryRun(policy))];
  const rules = emitAction(enforced, action, protocol, config);
  const shadowRules = emitAction(shadow, action, protocol, config);
  return rules || shadowRules ? { rules, shadowRules, shadowRulesStatPrefix: shadowPrefixes[action] } : undefined;
}
