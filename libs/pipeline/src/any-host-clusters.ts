import { emitAnyHostCluster } from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import { resource, ResourceSet } from '@seine/snapshot';

/** The cluster for hosts outside the mesh, of clients whose connections have no original destination. */
export const anyHostClusters = memo('anyHostClusters', (config: MeshConfig): ResourceSet => {
  const cluster = emitAnyHostCluster(config);
  return ResourceSet.of([resource(cluster.name, encodeResource(ClusterSchema, cluster))]);
});
