import type { LocalityLoadBalancerSetting } from '@seine/istio';
import type { Endpoint, Locality } from '@seine/model';
import { type EndpointGroup, groupByLocality, groupOf } from './endpoint-groups.js';
import type { LocalityPolicy } from './locality-setting.js';
import { labelOf } from './topology-labels.js';

/** Where the client is, as far as locality load balancing asks. */
export interface LocalityClient {
  readonly locality: Locality | undefined;
  /** The client's values of the labels in `failoverPriority` (see failoverLabelKeys). */
  readonly labels: Readonly<Record<string, string>>;
}

type Distribute = NonNullable<LocalityLoadBalancerSetting['distribute']>[number];
type Failover = LocalityLoadBalancerSetting['failover'];

function isZoneAware(policy: LocalityPolicy): boolean {
  return policy.kind === 'zone-aware' && policy.setting.enabled !== false;
}

/** Percentages by locality; they take the place of failover. */
function distributes(policy: LocalityPolicy): boolean {
  return policy.kind === 'locality' && (policy.setting.distribute?.length ?? 0) > 0;
}

function failsOver(policy: LocalityPolicy): boolean {
  return policy.kind === 'locality' && policy.failsOver && !distributes(policy);
}

/** Whether the assignment of endpoints differs from client to client. */
export function dependsOnClient(policy: LocalityPolicy): boolean {
  return distributes(policy) || failsOver(policy) || isZoneAware(policy);
}

function priorityLabels(policy: LocalityPolicy): readonly string[] {
  if (policy.kind === 'none' || !(failsOver(policy) || isZoneAware(policy))) return [];
  return policy.setting.failoverPriority ?? [];
}

/** The label names of `failoverPriority` (`key` or `key=value`), in their order. */
export function failoverLabelKeys(policy: LocalityPolicy): readonly string[] {
  return priorityLabels(policy).map((label) => label.split('=')[0] ?? '');
}

/** Whether the cluster chooses a locality by weight before an endpoint: where weights or an explicit failover say so. */
export function weighsLocalities(policy: LocalityPolicy): boolean {
  if (policy.kind !== 'locality') return false;
  const { failover, failoverPriority } = policy.setting;
  return distributes(policy) || (failsOver(policy) && Boolean(failover ?? failoverPriority));
}

/** Groups a cluster's endpoints as the client shall see them: localities, their weights and priorities. */
export function assignLocalities(
  endpoints: readonly Endpoint[],
  policy: LocalityPolicy,
  client: LocalityClient,
): readonly EndpointGroup[] {
  const groups = groupByLocality(endpoints);
  const { locality } = client;
  if (!locality || policy.kind === 'none' || !dependsOnClient(policy)) return groups;
  if (policy.kind === 'locality' && distributes(policy))
    return distribute(groups, locality, policy.setting.distribute ?? []);
  const { failover } = policy.setting;
  const labels = priorityLabels(policy);
  const byLabel = labels.length > 0 ? groups.flatMap((group) => splitByLabels(group, labels, client.labels)) : groups;
  if (isZoneAware(policy)) return compact(byLabel.map((group) => placedByRegion(group, locality, failover)));
  const byPlace = labels.length === 0 || (failover?.length ?? 0) > 0;
  return compact(byPlace ? byLabel.map((group) => placed(group, locality, failover)) : byLabel);
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

const networkLabel = 'topology.istio.io/network';

/** Splits a group by how many of the labels, counted from the first, an endpoint shares with the client. */
function splitByLabels(
  group: EndpointGroup,
  wanted: readonly string[],
  clientLabels: Readonly<Record<string, string>>,
): readonly EndpointGroup[] {
  const byPriority = new Map<number, Endpoint[]>();
  for (const endpoint of group.endpoints) {
    const differs = wanted.map((label) => !sharesLabel(label, endpoint, clientLabels));
    // Of another network, an endpoint comes after all of the own one, and among its like by the labels behind.
    const network = wanted[0] === networkLabel && differs[0] === true;
    const shared = differs.indexOf(true, network ? 1 : 0);
    const priority = (shared < 0 ? 0 : wanted.length - shared) + (network ? wanted.length : 0);
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
function placed(group: EndpointGroup, client: Locality, failover: Failover): EndpointGroup {
  return { ...group, priority: group.priority * 5 + distance(group.locality, client, failover) };
}

function distance(of: Locality, client: Locality, failover: Failover): number {
  if (of.region !== client.region) {
    const to = failover?.find((rule) => rule.from === client.region)?.to;
    return to !== undefined && to !== of.region ? 4 : 3;
  }
  if (of.zone !== client.zone) return 2;
  return of.subzone === client.subzone ? 0 : 1;
}

/** Within the region Envoy itself balances zones, so only regions differ: the own, the one to fail over to, the rest. */
function placedByRegion(group: EndpointGroup, client: Locality, failover: Failover): EndpointGroup {
  const to = failover?.find((rule) => rule.from === client.region)?.to;
  const { region } = group.locality;
  return { ...group, priority: group.priority * 3 + (region === client.region ? 0 : region === to ? 1 : 2) };
}

/** Envoy wants priorities without gaps. */
function compact(groups: readonly EndpointGroup[]): readonly EndpointGroup[] {
  const used = [...new Set(groups.map((group) => group.priority))].sort((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: used.indexOf(group.priority) }));
}
