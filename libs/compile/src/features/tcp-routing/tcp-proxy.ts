import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { TcpProxySchema } from '@seine/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { ChainContext } from '../../inputs.js';
import { BlackHoleCluster } from '../../frame/cluster-names.js';
import { delimitedStatPrefix } from '../../frame/listeners-stat-prefix.js';
import { emitConnectionLog } from '../access-log/access-log.js';
import { emitMixerLog, mixerFlushInterval } from '../access-log/mixer-log.js';
import { countsOpenings, emitMetricsLog } from '../telemetry-metrics/telemetry-metrics.js';
import { istioDuration } from '../connection-pool/istio-duration.js';
import { emitTunnel } from '../tunnel/emit-tunnel.js';
import type { TcpSettings } from './tcp-settings.js';

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
}

/**
 * The network filter that forwards bytes to one cluster, or to several by weight a connection.
 * @param settings of the destination, of several those of the first
 */
export function emitTcpProxy(
  statPrefix: string,
  clusters: string | readonly WeightedCluster[],
  context: ChainContext,
  settings: TcpSettings = {},
): Filter {
  const { idleTimeout, maxConnectionDuration, useSourceIp, tunnel } = settings;
  const single = typeof clusters === 'string' ? clusters : clusters.length === 1 ? clusters[0]?.name : undefined;
  // What comes in for nobody is a loop that is cut, and no traffic of the workload.
  const isCounted = context.role !== 'inbound' || single !== BlackHoleCluster;
  const proxy = toAny(TcpProxySchema, {
    statPrefix: delimitedStatPrefix(statPrefix),
    clusterSpecifier:
      single !== undefined || typeof clusters === 'string'
        ? { case: 'cluster', value: single ?? '' }
        : { case: 'weightedClusters', value: { clusters: clusters.map(({ name, weight }) => ({ name, weight })) } },
    accessLog: [
      ...(isCounted ? [...emitMetricsLog(context, 'tcp'), ...emitMixerLog(context, 'tcp')] : []),
      ...emitConnectionLog(context),
    ],
    ...(isCounted && emitLogOptions(context)),
    ...(idleTimeout !== undefined && { idleTimeout: istioDuration(idleTimeout) }),
    ...(maxConnectionDuration !== undefined && {
      maxDownstreamConnectionDuration: istioDuration(maxConnectionDuration),
    }),
    ...(useSourceIp && { hashPolicy: [{ policySpecifier: { case: 'sourceIp', value: {} } }] }),
    ...(tunnel && { tunnelingConfig: emitTunnel(tunnel) }),
  });
  return create(FilterSchema, {
    name: 'envoy.filters.network.tcp_proxy',
    configType: { case: 'typedConfig', value: proxy },
  });
}

/** What the logs of connections need that tell more than their end. */
function emitLogOptions(context: ChainContext) {
  const interval = mixerFlushInterval(context);
  if (interval === undefined)
    return countsOpenings(context) && { accessLogOptions: { flushAccessLogOnConnected: true } };
  return { accessLogOptions: { flushAccessLogOnConnected: true, accessLogFlushInterval: durationOf(interval) } };
}
