import type { PolicyRule, Value } from '@seine/mixer';
import type { PrincipalInit } from '../authorization-policy/principals.js';
import { type Decision, decideRule, type PolicySource } from './decide-rule.js';
import { isAlways, isNever, or, toPrincipal } from './formula.js';
import type { ProxyView } from './proxy-view.js';
import type { Refusal } from './refusal.js';

/** What is known of the workload that a proxy stands beside, and the same for all requests. */
export interface PlannedWorkload {
  readonly namespace: string;
  /** Of the workload; a port adds its own. */
  readonly constants: ReadonlyMap<string, Value | undefined>;
  readonly foreignCertificates: boolean;
}

/** A port that a workload serves. */
export interface PlannedPort {
  /** Undefined = any that no service declares. */
  readonly port: number | undefined;
  /** Host of the service that requests there are for. */
  readonly service: string | undefined;
  readonly constants: ReadonlyMap<string, Value | undefined>;
}

/** Requests that a proxy refuses by itself. */
export interface PlannedRefusal {
  /** Of the RBAC policy, by which Envoy tells which it was. */
  readonly name: string;
  readonly when: PrincipalInit;
  readonly refusal: Refusal;
}

/** What the filters of one chain do: plain data. */
export interface ChainPlan {
  readonly refusals: readonly PlannedRefusal[];
  /** The requests of which mixer is asked: all, some, or none (undefined). */
  readonly ask: 'all' | PrincipalInit | undefined;
}

/** The rules that are for a workload: those of the root namespace first, then those of its own. */
export function rulesFor(
  rules: readonly PolicyRule[],
  namespace: string,
  rootNamespace: string,
): readonly PolicyRule[] {
  const ofRoot = rules.filter((rule) => rule.namespace === rootNamespace);
  return namespace === rootNamespace ? ofRoot : [...ofRoot, ...rules.filter((rule) => rule.namespace === namespace)];
}

/** What becomes of the rules for a workload at one of its ports. */
export function decideRules(
  source: PolicySource,
  workload: PlannedWorkload,
  port: PlannedPort,
  protocol: ProxyView['protocol'],
  rootNamespace: string,
): readonly Decision[] {
  const { policy } = source;
  const constants = new Map([
    ...workload.constants,
    ...port.constants,
    ...(protocol === 'tcp' ? [['context.protocol', 'tcp'] as const] : []),
  ]);
  const view: ProxyView = {
    vocabulary: policy.vocabulary,
    protocol,
    constants,
    derived: new Set(policy.derived.map(({ attribute }) => attribute)),
    foreignCertificates: workload.foreignCertificates,
  };
  return rulesFor(policy.rules, workload.namespace, rootNamespace).flatMap((rule) =>
    decideRule(rule, source, view, port.service),
  );
}

/** The filters that decisions need; undefined = none. */
export function planChain(decisions: readonly Decision[]): ChainPlan | undefined {
  const refusals = decisions
    .flatMap((decision) => decision.refusals.map((one) => ({ ...one, decision })))
    .map(({ when, refusal, decision }, i) => ({ name: refusalName(decision, i), when: toPrincipal(when), refusal }));
  const ask = or(...decisions.map((decision) => decision.ask));
  if (refusals.length === 0 && isNever(ask)) return undefined;
  return { refusals, ask: isNever(ask) ? undefined : isAlways(ask) ? 'all' : toPrincipal(ask) };
}

/**
 * `0003/checkip.rule.default/whitelistip.handler.default/sourceip.instance.default`. Envoy tries policies in the order of their
 * names, and the answer is that of the first that holds: as with mixer that of the first rule.
 */
function refusalName({ rule, handler, instance }: Decision, index: number): string {
  return `${String(index).padStart(4, '0')}/${rule}/${handler ?? ''}/${instance ?? ''}`;
}
