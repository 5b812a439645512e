import { create } from '@bufbuild/protobuf';
import { type Cluster, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { MeshConfig } from '@seine/model';
import { AllowAnyDynamicDNSCluster } from '../../frame/cluster-names.js';
import { emitPassthrough } from '../../frame/clusters-static.js';
import { emitDiscovery } from '../discovery-type/discovery-type.js';

/**
 * The cluster by which clients without original destinations reach hosts outside the mesh: it resolves the host that the
 * request names (of CONNECT too), and goes to the port that is named with it, or 80. Otherwise it is as PassthroughCluster.
 */
export function emitAnyHostCluster(config: MeshConfig): Cluster {
  return create(ClusterSchema, {
    ...emitPassthrough(AllowAnyDynamicDNSCluster, config),
    ...emitDiscovery('dynamic-forward-proxy', AllowAnyDynamicDNSCluster, { config }),
  });
}
