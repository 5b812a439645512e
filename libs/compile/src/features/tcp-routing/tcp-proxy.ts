import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { TcpProxySchema } from '@seine/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { ChainContext } from '../../inputs.js';
import { delimitedStatPrefix } from '../../frame/listeners-stat-prefix.js';
import { emitAccessLog } from '../access-log/access-log.js';

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
}

/** The network filter that forwards bytes to one cluster, or to several by weight a connection. */
export function emitTcpProxy(
  statPrefix: string,
  clusters: string | readonly WeightedCluster[],
  context: ChainContext,
): Filter {
  const single = typeof clusters === 'string' ? clusters : clusters.length === 1 ? clusters[0]?.name : undefined;
  const proxy = toAny(TcpProxySchema, {
    statPrefix: delimitedStatPrefix(statPrefix),
    clusterSpecifier:
      single !== undefined || typeof clusters === 'string'
        ? { case: 'cluster', value: single ?? '' }
        : { case: 'weightedClusters', value: { clusters: clusters.map(({ name, weight }) => ({ name, weight })) } },
    accessLog: emitAccessLog(context),
  });
  return create(FilterSchema, {
    name: 'envoy.filters.network.tcp_proxy',
    configType: { case: 'typedConfig', value: proxy },
  });
}
