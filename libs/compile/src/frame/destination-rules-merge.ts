import type { DestinationRule } from '@seine/istio';
import { deepEqual, memo } from '@seine/memo';

/**
 * Joins two rules for one host of one namespace as Istio does: the first rule's fields stay, subsets of the second are
 * added where their names are new, and its traffic policy counts only if the first has none. Equal parts give the same
 * object, so a merged rule can be a key.
 */
const mergeRules = memo('mergeDestinationRules', (first: DestinationRule, second: DestinationRule): DestinationRule => {
  const known = new Set((first.spec.subsets ?? []).map((subset) => subset.name));
  const added = (second.spec.subsets ?? []).filter((subset) => !known.has(subset.name));
  const trafficPolicy = first.spec.trafficPolicy ?? second.spec.trafficPolicy;
  if (added.length === 0 && trafficPolicy === first.spec.trafficPolicy) return first;
  return { ...first, spec: { ...first.spec, trafficPolicy, subsets: [...(first.spec.subsets ?? []), ...added] } };
});

/** The rules of one namespace for one host, oldest first, with those joined that belong together. */
export function consolidate(rules: readonly DestinationRule[]): readonly DestinationRule[] {
  return rules.reduce<readonly DestinationRule[]>(addRule, []);
}

/**
 * Rules join when their visibility is equal and their workload selectors do not contradict each other. One with a
 * selector beside one without adds to it and stands for itself too.
 */
function addRule(present: readonly DestinationRule[], rule: DestinationRule): readonly DestinationRule[] {
  const next = present.map((existing) => (compatible(existing, rule) ? mergeRules(existing, rule) : existing));
  const absorbed = present.some(
    (existing) =>
      compatible(existing, rule) &&
      (existing.spec.workloadSelector === undefined) === (rule.spec.workloadSelector === undefined),
  );
  return absorbed ? next : [...next, rule];
}

function compatible(a: DestinationRule, b: DestinationRule): boolean {
  const [left, right] = [a.spec.workloadSelector, b.spec.workloadSelector];
  return sameVisibility(a, b) && (!left || !right || deepEqual(left.matchLabels ?? {}, right.matchLabels ?? {}));
}

function sameVisibility(a: DestinationRule, b: DestinationRule): boolean {
  const [left, right] = [a, b].map((rule) => [...new Set(rule.spec.exportTo ?? [])].sort());
  return deepEqual(left, right);
}
