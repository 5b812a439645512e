import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { MeshConfig } from '@seine/model';
import { emitConnectionPool, type PoolDefaults } from '../features/connection-pool/connection-pool.js';
import { emitHttpProtocol } from '../features/connection-pool/http-protocol.js';
import { countsTraffic, peerNamespace, serviceLabels } from '../telemetry/peer-metadata.js';
import type { Fragment } from './clusters-fragment.js';
import { BlackHoleCluster, PassthroughCluster } from './cluster-names.js';

type PassthroughDefaults = PoolDefaults & Partial<Pick<MeshConfig, 'defaultTrafficPolicy' | 'defaultProviders'>>;

/** The two clusters every client has: one goes where the connection was going, the other nowhere. */
export function emitStaticClusters(config: PassthroughDefaults): Cluster[] {
  const passthrough = create(ClusterSchema, emitPassthrough(PassthroughCluster, config));
  const blackHole = create(ClusterSchema, {
    name: BlackHoleCluster,
    altStatName: `${BlackHoleCluster};`,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: emitConnectionPool(undefined, undefined, config).connectTimeout,
    metadata: emitMetadata(BlackHoleCluster, config),
  });
  return [passthrough, blackHole];
}

/** A cluster that goes to the connection's original destination, in the client's own HTTP version. */
export function emitPassthrough(name: string, config: PassthroughDefaults): Fragment<typeof ClusterSchema> {
  const connectionPool = config.defaultTrafficPolicy?.connectionPool;
  return {
    name,
    altStatName: `${name};`,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    ...emitConnectionPool(connectionPool, undefined, config),
    typedExtensionProtocolOptions: emitHttpProtocol('auto', { connectionPool }),
    metadata: emitMetadata(name, config),
  };
}

/** Traffic to hosts that nobody knows is counted under the name of the cluster. */
function emitMetadata(name: string, config: PassthroughDefaults): Fragment<typeof ClusterSchema>['metadata'] {
  if (!countsTraffic(config)) return undefined;
  const labels = serviceLabels({ host: 'unknown', name, namespace: 'unknown' });
  return { filterMetadata: { [peerNamespace]: labels } };
}
