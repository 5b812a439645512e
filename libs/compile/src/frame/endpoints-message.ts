import { create } from '@bufbuild/protobuf';
import { type AddressSchema } from '@seine/envoy/envoy/config/core/v3/address_pb.js';
import { HealthStatus } from '@seine/envoy/envoy/config/core/v3/health_check_pb.js';
import { type LbEndpoint, LbEndpointSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '@seine/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import { canonicalName, canonicalRevision, type Endpoint } from '@seine/model';
import type { EndpointGroup } from '../features/locality/endpoint-groups.js';
import { emitTlsMode } from '../features/auto-mtls/auto-mtls.js';
import { endpointLabels, peerNamespace } from '../telemetry/peer-metadata.js';
import type { Fragment } from './clusters-fragment.js';

const unixScheme = 'unix://';

const health: Readonly<Record<Endpoint['health'], HealthStatus>> = {
  healthy: HealthStatus.HEALTHY,
  unhealthy: HealthStatus.UNHEALTHY,
  draining: HealthStatus.DRAINING,
};

/** A socket address, or a pipe for `unix:///path`. */
export function emitAddress(address: string, port: number): Fragment<typeof AddressSchema> {
  return address.startsWith(unixScheme)
    ? { address: { case: 'pipe', value: { path: address.slice(unixScheme.length) } } }
    : { address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } } };
}

/**
 * One endpoint with `<workload>;<namespace>;<canonical name>;<canonical revision>;<cluster>`, as Istio has it.
 * @param labelled whether metrics are counted by its labels
 */
export function emitLbEndpoint(endpoint: Endpoint, labelled = false): LbEndpoint {
  const { workload, labels } = endpoint;
  const identity = [
    workload.name,
    workload.namespace,
    canonicalName(labels, workload.name),
    canonicalRevision(labels),
    labels['topology.istio.io/cluster'] ?? '',
  ];
  return create(LbEndpointSchema, {
    hostIdentifier: { case: 'endpoint', value: { address: emitAddress(endpoint.address, endpoint.port) } },
    healthStatus: health[endpoint.health],
    metadata: {
      filterMetadata: {
        istio: { workload: identity.join(';') },
        ...(labelled && { [peerNamespace]: { ...endpointLabels(endpoint) } }),
        ...emitTlsMode(endpoint),
      },
    },
    loadBalancingWeight: endpoint.weight,
  });
}

/** The message of which the spliced bytes are the encoding; clusters with inline endpoints hold it. */
export function emitLoadAssignment(
  clusterName: string,
  groups: readonly EndpointGroup[],
  labelled = false,
): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: groups.map(({ locality, endpoints, weight, priority }) => ({
      locality: { region: locality.region, zone: locality.zone, subZone: locality.subzone },
      lbEndpoints: endpoints.map((endpoint) => emitLbEndpoint(endpoint, labelled)),
      loadBalancingWeight: weight,
      priority,
    })),
  });
}
