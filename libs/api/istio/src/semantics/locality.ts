import type { LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting } from '../networking/destination-rule.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';

/** `region/zone/subzone`; a wildcard only at the end. */
function checkLocality(locality: string, scope: Scope): void {
  const parts = locality.split('/');
  const star = parts.indexOf('*');
  if (parts.length > 3) scope.error(`locality ${JSON.stringify(locality)} has more than region, zone and subzone`);
  if (parts.some((part) => part === '')) scope.error(`locality ${JSON.stringify(locality)} has an empty part`);
  if (star >= 0 && star !== parts.length - 1)
    scope.error(`locality ${JSON.stringify(locality)} may have a wildcard only at its end`);
}

function covers(general: string, locality: string): boolean {
  if (general === '*' || general === locality) return true;
  const prefix = general.endsWith('/*') ? general.slice(0, -1) : `${general}/`;
  return locality.startsWith(prefix);
}

/** Localities that mean the same endpoints twice would make it a matter of luck which of them counts. */
function checkOverlap(localities: readonly string[], scope: Scope): void {
  localities.forEach((locality, i) => {
    const other = localities.find((one, j) => j !== i && covers(one, locality) && (one !== locality || j < i));
    if (other !== undefined) scope.error(`locality ${JSON.stringify(locality)} overlaps with ${JSON.stringify(other)}`);
  });
}

function checkDistribute({ distribute }: LocalityLoadBalancerSetting, scope: Scope): void {
  each(distribute, scope, ({ from, to }, at) => {
    if (from) checkLocality(from, at.at('from'));
    const shares = Object.entries(to ?? {});
    for (const [locality, share] of shares) {
      checkLocality(locality, at.at('to', locality));
      if (share < 1 || share > 100) at.at('to', locality).error(`must be between 1 and 100, but is ${share}`);
    }
    const total = shares.reduce((sum, [, share]) => sum + share, 0);
    if (total !== 100) at.at('to').error(`the shares must add up to 100, but add up to ${total}`);
    checkOverlap(
      shares.map(([locality]) => locality),
      at.at('to'),
    );
  });
  checkOverlap(
    (distribute ?? []).flatMap(({ from }) => (from ? [from] : [])),
    scope,
  );
}

function checkFailover({ failover }: Pick<LocalityLoadBalancerSetting, 'failover'>, scope: Scope): void {
  each(failover, scope, ({ from = '', to = '' }, at) => {
    if (from === to) at.error('must name two different regions');
    if (/[/*]/.test(from + to)) at.error('must name regions only, without zones and wildcards');
  });
}

/** Labels of which failover by regions, and zone-aware routing, take care themselves. */
const topologyLabels: ReadonlySet<string> = new Set([
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.istio.io/subzone',
]);

export function checkZoneAwareLb(setting: ZoneAwareLoadBalancerSetting | undefined, scope: Scope): void {
  if (!setting) return;
  checkFailover(setting, scope.at('failover'));
  each(setting.failoverPriority, scope.at('failoverPriority'), (label, at) => {
    if (label === '') at.error('must name a label');
    if (topologyLabels.has(label)) at.error(`${label} is taken care of by zone-aware routing itself`);
  });
}

export function checkLocalityLb(setting: LocalityLoadBalancerSetting | undefined, scope: Scope): void {
  if (!setting) return;
  const { distribute = [], failover = [], failoverPriority = [] } = setting;
  if (distribute.length > 0 && (failover.length > 0 || failoverPriority.length > 0))
    scope.error("cannot specify 'distribute' together with 'failover' or 'failoverPriority'");
  const topology = failoverPriority.filter((label) => topologyLabels.has(label));
  if (failover.length > 0 && topology.length > 0)
    scope.error(`cannot specify 'failover' together with ${topology.join(', ')} in 'failoverPriority'`);
  checkDistribute(setting, scope.at('distribute'));
  checkFailover(setting, scope.at('failover'));
  each(failoverPriority, scope.at('failoverPriority'), (label, at) => {
    if (label === '') at.error('must name a label');
  });
}
