import type { DestinationRule, Subset, TrafficPolicy } from '@seine/istio';
import { type Endpoint, isIpAddress, type MeshService, type Proxy } from '@seine/model';
import { discoveryOf, usesEds } from '../features/discovery-type/discovery-type.js';
import {
  assignLocalities,
  dependsOnClient,
  failoverLabelKeys,
  type LocalityClient,
} from '../features/locality/locality-load-balancing.js';
import { type LocalityDefaults, type LocalityPolicy, localityPolicy } from '../features/locality/locality-setting.js';
import { nodeLabel, selectLabels } from '../features/locality/topology-labels.js';
import { effectiveTrafficPolicy, subsetsOf } from '../features/subsets/traffic-policy.js';
import type { LoadAssignmentsInput } from '../inputs.js';
import { countsTraffic } from '../telemetry/peer-metadata.js';
import { outboundClusterName } from './cluster-names.js';
import { encodeLoadAssignment } from './endpoints-splice.js';

/** An encoded ClusterLoadAssignment under the name of its cluster. */
export interface EncodedLoadAssignment {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * The load assignments of every cluster of the service that uses EDS: for each port the service's own and one per
 * subset. A cluster without endpoints gets an empty assignment, as Envoy would wait for a missing one.
 */
export function emitLoadAssignments(input: LoadAssignmentsInput): readonly EncodedLoadAssignment[] {
  const { service, rule, config } = input;
  if (!usesEds(service)) return [];
  const viaEds = (policy: TrafficPolicy): boolean =>
    !input.client || discoveryOf(service, policy.loadBalancer, input.client) === 'eds';
  const client: LocalityClient = { locality: input.clientLocality, labels: input.clientLabels ?? {} };
  const subsets = subsetsOf(rule);
  return service.ports
    .filter((port) => port.protocol !== 'UDP')
    .flatMap(({ port }) => {
      const endpoints = (input.endpoints?.byPort.get(port) ?? []).filter(isAddressed);
      const assign = (subset: string, members: () => readonly Endpoint[]): readonly EncodedLoadAssignment[] => {
        const policy = effectiveTrafficPolicy(rule, subset, port, config);
        if (!viaEds(policy)) return [];
        const name = outboundClusterName(port, subset, service.host);
        const groups = assignLocalities(members(), localityPolicy(policy, service, config), client);
        return [{ name, bytes: encodeLoadAssignment(name, groups, countsTraffic(config)) }];
      };
      return [
        ...assign('', () => endpoints),
        ...subsets.flatMap((subset) => assign(subset.name, () => selectEndpoints(endpoints, subset))),
      ];
    });
}

/** EDS takes addresses only: Envoy refuses the assignment of a service where one endpoint is a DNS name. */
function isAddressed({ address }: Endpoint): boolean {
  return address.startsWith('unix://') || isIpAddress(address);
}

/** The endpoints that carry all labels of the subset. */
export function selectEndpoints(endpoints: readonly Endpoint[], subset: Subset): readonly Endpoint[] {
  const wanted = Object.entries(subset.labels ?? {});
  return endpoints.filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
}

function policiesOf(
  service: MeshService,
  rule: DestinationRule | undefined,
  config: LocalityDefaults,
): readonly LocalityPolicy[] {
  const names = ['', ...subsetsOf(rule).map((subset) => subset.name)];
  return service.ports.flatMap(({ port }) =>
    names.map((name) => localityPolicy(effectiveTrafficPolicy(rule, name, port, config), service, config)),
  );
}

/** Whether endpoints of the service differ by the client's locality: only then `clientLocality` is to be given. */
export function dependsOnClientLocality(
  service: MeshService,
  rule: DestinationRule | undefined,
  config: LocalityDefaults,
): boolean {
  const asks =
    rule !== undefined ||
    service.trafficDistribution !== undefined ||
    config.zoneAwareLbSetting !== undefined ||
    (config.localityLbSetting?.distribute ?? config.defaultTrafficPolicy?.outlierDetection) !== undefined;
  return asks && policiesOf(service, rule, config).some(dependsOnClient);
}

/**
 * The client's labels that decide on failover (`failoverPriority`), for `clientLabels`; undefined where none does.
 * Clients that agree in them (and in locality) share load assignments.
 */
export function clientLabelsForFailover(
  service: MeshService,
  rule: DestinationRule | undefined,
  client: Pick<Proxy, 'labels' | 'locality' | 'network' | 'nodeName'>,
  config: LocalityDefaults,
): Readonly<Record<string, string>> | undefined {
  const keys = [...new Set(policiesOf(service, rule, config).flatMap(failoverLabelKeys))].sort();
  return keys.length > 0 ? selectLabels(keys, client) : undefined;
}

/** Whether it depends on the kind of client which of the service's clusters take their endpoints from EDS. */
export function mayUseOriginalDestination(service: MeshService, rule: DestinationRule | undefined): boolean {
  if (service.resolution === 'passthrough') return true;
  const policies = rule ? [rule.spec.trafficPolicy, ...subsetsOf(rule).map((subset) => subset.trafficPolicy)] : [];
  return policies.some((policy) =>
    [policy, ...(policy?.portLevelSettings ?? [])].some((level) => level?.loadBalancer?.simple === 'PASSTHROUGH'),
  );
}

/** Label keys that the mesh's own settings and `trafficDistribution` of Services test, beside those of rules. */
export function failoverKeysOf(services: Iterable<MeshService>, config: LocalityDefaults): readonly string[] {
  const labels = [
    ...(config.localityLbSetting?.failoverPriority ?? []),
    ...(config.zoneAwareLbSetting?.failoverPriority ?? []),
  ].map((label) => label.split('=')[0] ?? '');
  for (const { trafficDistribution } of services)
    if (trafficDistribution === 'PreferSameNode') return [...labels, nodeLabel];
  return labels;
}
