import type { LocalityLoadBalancerSetting, TrafficPolicy } from '@seine/istio';
import type { Endpoint, Locality } from '@seine/model';
import { type EndpointGroup, groupByLocality, groupOf } from './endpoint-groups.js';
import { labelOf } from './topology-labels.js';

/** Where the client is, as far as locality load balancing asks. */
export interface LocalityClient {
  readonly locality: Locality | undefined;
  /** The client's values of the labels in `failoverPriority` (see failoverLabelKeys). */
  readonly labels: Readonly<Record<string, string>>;
}

type Distribute = NonNullable<LocalityLoadBalancerSetting['distribute']>[number];

function settingOf(policy: TrafficPolicy): LocalityLoadBalancerSetting {
  return policy.loadBalancer?.localityLbSetting ?? {};
}

function distributes(setting: LocalityLoadBalancerSetting): boolean {
  return setting.enabled !== false && (setting.distribute?.length ?? 0) > 0;
}

/**
 * Whether failover is on. It is by default (MeshConfig.localityLbSetting.enabled), but only together with outlier
 * detection: Envoy leaves a priority only when its endpoints are known to be unhealthy.
 */
function failsOver(policy: TrafficPolicy): boolean {
  const setting = settingOf(policy);
  return policy.outlierDetection !== undefined && setting.enabled !== false && !distributes(setting);
}

/** Whether the assignment of endpoints differs from client to client. */
export function dependsOnClient(policy: TrafficPolicy): boolean {
  return distributes(settingOf(policy)) || failsOver(policy);
}

/** The label names of `failoverPriority` (`key` or `key=value`), in their order. */
export function failoverLabelKeys(policy: TrafficPolicy): readonly string[] {
  return failsOver(policy) ? (settingOf(policy).failoverPriority ?? []).map((label) => label.split('=')[0] ?? '') : [];
}

/** Whether the cluster chooses a locality by weight before an endpoint: where weights or an explicit failover say so. */
export function weighsLocalities(policy: TrafficPolicy): boolean {
  const setting = settingOf(policy);
  return distributes(setting) || (failsOver(policy) && Boolean(setting.failover ?? setting.failoverPriority));
}

/** Groups a cluster's endpoints as the client shall see them: localities, their weights and priorities. */
export function assignLocalities(
  endpoints: readonly Endpoint[],
  policy: TrafficPolicy,
  client: LocalityClient,
): readonly EndpointGroup[] {
  const groups = groupByLocality(endpoints);
  const { locality } = client;
  if (!locality) return groups;
  const setting = settingOf(policy);
  if (distributes(setting)) return distribute(groups, locality, setting.distribute ?? []);
  if (!failsOver(policy)) return groups;
  const byLabel = setting.failoverPriority?.length
    ? groups.flatMap((group) => splitByLabels(group, setting.failoverPriority ?? [], client.labels))
    : groups;
  const byPlace = !setting.failoverPriority?.length || (setting.failover?.length ?? 0) > 0;
  return compact(byPlace ? byLabel.map((group) => placed(group, locality, setting)) : byLabel);
}

/** `region/zone/*` style patterns of `distribute`; parts that are left out match all. */
function localityMatches(pattern: string, locality: Locality): boolean {
  const parts = [locality.region, locality.zone, locality.subzone];
  return pattern.split('/').every((part, i) => part === '*' || part === parts[i]);
}

/** Shares traffic among localities by percent, for clients in `from`; localities the user does not name get none. */
function distribute(
  groups: readonly EndpointGroup[],
  client: Locality,
  rules: readonly Distribute[],
): readonly EndpointGroup[] {
  const to = rules.find((rule) => localityMatches(rule.from ?? '*', client))?.to;
  if (!to) return groups;
  const shares = new Map<EndpointGroup, number>();
  // Sorted so that equal input gives equal bytes; the more specific pattern takes its localities first.
  for (const [pattern, percent] of Object.entries(to).sort(([a], [b]) => bySpecificity(a, b))) {
    const chosen = groups.filter((group) => !shares.has(group) && localityMatches(pattern, group.locality));
    const total = chosen.reduce((sum, group) => sum + group.weight, 0);
    for (const group of chosen) shares.set(group, Math.ceil((group.weight * percent) / total));
  }
  return groups.flatMap((group) => {
    const weight = shares.get(group) ?? 0;
    return weight > 0 ? [{ ...group, weight }] : [];
  });
}

function bySpecificity(a: string, b: string): number {
  const depth = (pattern: string): number => pattern.split('/').filter((part) => part !== '*').length;
  return depth(b) - depth(a) || (a < b ? -1 : 1);
}

/** Splits a group by how many of the labels, counted from the first, an endpoint shares with the client. */
function splitByLabels(
  group: EndpointGroup,
  wanted: readonly string[],
  clientLabels: Readonly<Record<string, string>>,
): readonly EndpointGroup[] {
  const byPriority = new Map<number, Endpoint[]>();
  for (const endpoint of group.endpoints) {
    const shared = wanted.findIndex((label) => !sharesLabel(label, endpoint, clientLabels));
    const priority = shared < 0 ? 0 : wanted.length - shared;
    const list = byPriority.get(priority);
    if (list) list.push(endpoint);
    else byPriority.set(priority, [endpoint]);
  }
  return [...byPriority]
    .sort(([a], [b]) => a - b)
    .map(([priority, endpoints]) => groupOf(group.locality, endpoints, priority));
}

function sharesLabel(label: string, endpoint: Endpoint, clientLabels: Readonly<Record<string, string>>): boolean {
  const equals = label.indexOf('=');
  const key = equals < 0 ? label : label.slice(0, equals);
  const value = equals < 0 ? (clientLabels[key] ?? '') : label.slice(equals + 1);
  return labelOf(key, endpoint) === value;
}

/** Same sub-zone, zone, region, elsewhere: 0 to 3; elsewhere but not where `failover` sends the region: 4. */
function placed(group: EndpointGroup, client: Locality, setting: LocalityLoadBalancerSetting): EndpointGroup {
  return { ...group, priority: group.priority * 5 + distance(group.locality, client, setting) };
}

function distance(of: Locality, client: Locality, setting: LocalityLoadBalancerSetting): number {
  if (of.region !== client.region) {
    const failover = setting.failover?.find((rule) => rule.from === client.region);
    return failover && failover.to !== of.region ? 4 : 3;
  }
  if (of.zone !== client.zone) return 2;
  return of.subzone === client.subzone ? 0 : 1;
}

/** Envoy wants priorities without gaps. */
function compact(groups: readonly EndpointGroup[]): readonly EndpointGroup[] {
  const used = [...new Set(groups.map((group) => group.priority))].sort((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: used.indexOf(group.priority) }));
}
