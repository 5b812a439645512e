import type { Filter } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { ChainContext } from '../../inputs.js';
import { emitTcpAuthorization } from '../authorization-policy/authorization-policy.js';
import { emitMixerTcpFilters } from '../mixer-policy/mixer-policy.js';
import { emitTcpProxy, type WeightedCluster } from './tcp-proxy.js';
import type { TcpSettings } from './tcp-settings.js';

/** What a connection passes whose bytes go to a cluster: who may not is cut off before any is forwarded. */
export function emitTcpFilters(
  statPrefix: string,
  clusters: string | readonly WeightedCluster[],
  context: ChainContext,
  settings?: TcpSettings,
): Filter[] {
  const { policies, config } = context;
  const authorization =
    policies.authorization.length === 0
      ? []
      : emitTcpAuthorization({
          policies: policies.authorization,
          config,
          providerClusters: policies.providerClusters,
        });
  return [...authorization, ...emitMixerTcpFilters(context), emitTcpProxy(statPrefix, clusters, context, settings)];
}
