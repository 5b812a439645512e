import { fromBinary } from '@bufbuild/protobuf';
import { parseClusterName, toSniAssignment, toSniCluster } from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import { memo } from '@seine/memo';
import { contentHash, type Resource, resource, ResourceSet } from '@seine/snapshot';
import type { Services } from './visibility.js';

const sniCluster = memo('sniCluster', ({ bytes }: Resource): Resource => {
  const cluster = toSniCluster(fromBinary(ClusterSchema, bytes));
  return resource(cluster.name, encodeResource(ClusterSchema, cluster));
});

/** The version follows that of the original, which says more than its own bytes (see `outboundEndpoints`). */
const sniAssignment = memo('sniAssignment', ({ bytes, version }: Resource): Resource => {
  const assignment = toSniAssignment(fromBinary(ClusterLoadAssignmentSchema, bytes));
  return resource(
    assignment.clusterName,
    encodeResource(ClusterLoadAssignmentSchema, assignment),
    contentHash('sni', version),
  );
});

function inMesh({ name }: Resource, services: Services): boolean {
  const parts = parseClusterName(name);
  return parts?.direction === 'outbound' && services.get(parts.host)?.external === false;
}

/** The clusters that AUTO_PASSTHROUGH servers lead to: one for each outbound cluster to a service of the mesh. */
export const sniClusters = memo('sniClusters', (clusters: ResourceSet, services: Services): ResourceSet =>
  ResourceSet.of([...clusters].filter((item) => inMesh(item, services)).map(sniCluster)),
);

/** Their endpoints. */
export const sniEndpoints = memo('sniEndpoints', (endpoints: ResourceSet, services: Services): ResourceSet =>
  ResourceSet.of([...endpoints].filter((item) => inMesh(item, services)).map(sniAssignment)),
);
