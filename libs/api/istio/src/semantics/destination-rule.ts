import type { DestinationRuleSpec } from '../networking/destination-rule.js';
import type { Scope } from '../validation/scope.js';
import { isIP, isLabel, isWildcardDomain } from './addresses.js';
import { each } from './each.js';
import { checkExportTo, checkLabels } from './field-checks.js';
import { checkTrafficPolicy } from './traffic-policy.js';

/** What Istio asks of a DestinationRule beyond its schema. */
export function checkDestinationRule(spec: DestinationRuleSpec, scope: Scope): void {
  const { host } = spec;
  if (!isWildcardDomain(host) && !isIP(host))
    scope.at('host').error(`${JSON.stringify(host)} is not the name of a service`);
  checkTrafficPolicy(spec.trafficPolicy, scope.at('trafficPolicy'));
  const names = new Set<string>();
  each(spec.subsets, scope.at('subsets'), ({ name, labels, trafficPolicy }, at) => {
    if (!isLabel(name)) at.at('name').error(`${JSON.stringify(name)} is not a name of letters, digits and dashes`);
    if (names.has(name)) at.at('name').error(`another subset is called ${name} already`);
    names.add(name);
    checkLabels(labels, at.at('labels'));
    checkTrafficPolicy(trafficPolicy, at.at('trafficPolicy'));
  });
  checkExportTo(spec.exportTo, scope.at('exportTo'), { none: false });
  if (spec.workloadSelector && spec.exportTo && (spec.exportTo.length > 1 || spec.exportTo[0] === '*'))
    scope.at('exportTo').error('with a workloadSelector the rule is for its own namespace only: .');
  checkLabels(spec.workloadSelector?.matchLabels, scope.at('workloadSelector', 'matchLabels'));
}
