import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '@seine/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import { withoutHttpAlpn } from '../auto-mtls/alpn.js';
import { parseClusterName, sniClusterName } from '../../frame/cluster-names.js';

function sniNameOf(clusterName: string): string {
  const { port, subset, host } = parseClusterName(clusterName) ?? { port: 0, subset: '', host: clusterName };
  return sniClusterName(port, subset, host);
}

/**
 * The cluster through which an AUTO_PASSTHROUGH server reaches what an outbound cluster reaches: the same endpoints
 * under the name that stands in the SNI, without TLS of its own, as it hands on TLS that it has not ended.
 */
export function toSniCluster(cluster: Cluster): Cluster {
  const name = sniNameOf(cluster.name);
  return create(ClusterSchema, {
    ...cluster,
    name,
    altStatName: `${name};`,
    transportSocket: undefined,
    transportSocketMatches: [],
    metadata: withoutHttpAlpn(cluster.metadata),
    typedExtensionProtocolOptions: {},
    ...(cluster.edsClusterConfig && { edsClusterConfig: { ...cluster.edsClusterConfig, serviceName: name } }),
    ...(cluster.loadAssignment && { loadAssignment: toSniAssignment(cluster.loadAssignment) }),
  });
}

/** The load assignment of such a cluster. */
export function toSniAssignment(assignment: ClusterLoadAssignment): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, { ...assignment, clusterName: sniNameOf(assignment.clusterName) });
}
