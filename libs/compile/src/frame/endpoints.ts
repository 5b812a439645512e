import type { DestinationRule, Subset } from '@seine/istio';
import { type Endpoint, type MeshService, type Proxy } from '@seine/model';
import { usesEds } from '../features/discovery-type/discovery-type.js';
import {
  assignLocalities,
  dependsOnClient,
  failoverLabelKeys,
  type LocalityClient,
} from '../features/locality/locality-load-balancing.js';
import { selectLabels } from '../features/locality/topology-labels.js';
import { effectiveTrafficPolicy, subsetsOf } from '../features/subsets/traffic-policy.js';
import type { LoadAssignmentsInput } from '../inputs.js';
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
  const { service, rule } = input;
  if (!usesEds(service)) return [];
  const client: LocalityClient = { locality: input.clientLocality, labels: input.clientLabels ?? {} };
  const subsets = subsetsOf(rule);
  return service.ports
    .filter((port) => port.protocol !== 'UDP')
    .flatMap(({ port }) => {
      const endpoints = input.endpoints?.byPort.get(port) ?? [];
      const assign = (subset: string, members: readonly Endpoint[]): EncodedLoadAssignment => {
        const name = outboundClusterName(port, subset, service.host);
        const policy = effectiveTrafficPolicy(rule, subset, port);
        return { name, bytes: encodeLoadAssignment(name, assignLocalities(members, policy, client)) };
      };
      return [
        assign('', endpoints),
        ...subsets.map((subset) => assign(subset.name, selectEndpoints(endpoints, subset))),
      ];
    });
}

/** The endpoints that carry all labels of the subset. */
export function selectEndpoints(endpoints: readonly Endpoint[], subset: Subset): readonly Endpoint[] {
  const wanted = Object.entries(subset.labels ?? {});
  return endpoints.filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
}

function policiesOf(service: MeshService, rule: DestinationRule | undefined) {
  const names = ['', ...subsetsOf(rule).map((subset) => subset.name)];
  return service.ports.flatMap(({ port }) => names.map((name) => effectiveTrafficPolicy(rule, name, port)));
}

/** Whether load assignments of the service differ by the client's locality: only then `clientLocality` is to be given. */
export function dependsOnClientLocality(service: MeshService, rule: DestinationRule | undefined): boolean {
  return rule !== undefined && policiesOf(service, rule).some(dependsOnClient);
}

/**
 * The client's labels that decide on failover (`failoverPriority`), for `clientLabels`; undefined where none does.
 * Clients that agree in them (and in locality) share load assignments.
 */
export function clientLabelsForFailover(
  service: MeshService,
  rule: DestinationRule | undefined,
  client: Pick<Proxy, 'labels' | 'locality' | 'network'>,
): Readonly<Record<string, string>> | undefined {
  if (!rule) return undefined;
  const keys = [...new Set(policiesOf(service, rule).flatMap(failoverLabelKeys))].sort();
  return keys.length > 0 ? selectLabels(keys, client) : undefined;
}
