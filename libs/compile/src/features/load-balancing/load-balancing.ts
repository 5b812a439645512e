import {
  Cluster_LbPolicy,
  type Cluster_SlowStartConfigSchema,
  type ClusterSchema,
} from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { LoadBalancerSettings } from '@seine/istio';
import type { Fragment } from '../../frame/clusters-fragment.js';
import { istioDuration, istioMilliseconds } from '../connection-pool/istio-duration.js';

type BalancingFragment = Pick<Fragment<typeof ClusterSchema>, 'lbPolicy' | 'lbConfig'>;
type ConsistentHash = NonNullable<LoadBalancerSettings['consistentHash']>;

/** Envoy's own default, stated because Istio states it. */
const defaultMinimumRingSize = 1024;

/**
 * How a cluster chooses among its endpoints. LEAST_REQUEST is Istio's default, Envoy's is ROUND_ROBIN.
 * PASSTHROUGH is a matter of discovery (see discovery-type) and never comes here.
 * @param proxyless gRPC libraries know ROUND_ROBIN and RING_HASH only and refuse a cluster with anything else
 */
export function emitLoadBalancing(settings: LoadBalancerSettings | undefined, proxyless: boolean): BalancingFragment {
  if (settings?.consistentHash) return emitConsistentHash(settings.consistentHash, proxyless);
  if (proxyless) return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN };
  const slowStartConfig = settings && emitSlowStart(settings);
  switch (settings?.simple) {
    case 'RANDOM':
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case 'ROUND_ROBIN':
      return {
        lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
        ...(slowStartConfig && { lbConfig: { case: 'roundRobinLbConfig', value: { slowStartConfig } } }),
      };
    default:
      return {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        ...(slowStartConfig && { lbConfig: { case: 'leastRequestLbConfig', value: { slowStartConfig } } }),
      };
  }
}

/** The hash itself is computed by routes (hash_policy); this is the table it is looked up in. */
function emitConsistentHash(hash: ConsistentHash, proxyless: boolean): BalancingFragment {
  if (hash.maglev && !proxyless) {
    const tableSize = hash.maglev.tableSize ?? 0;
    return {
      lbPolicy: Cluster_LbPolicy.MAGLEV,
      ...(tableSize > 0 && { lbConfig: { case: 'maglevLbConfig', value: { tableSize: BigInt(tableSize) } } }),
    };
  }
  const size = (hash.ringHash?.minimumRingSize ?? hash.minimumRingSize ?? 0) || defaultMinimumRingSize;
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    lbConfig: { case: 'ringHashLbConfig', value: { minimumRingSize: BigInt(size) } },
  };
}

/** Warm-up of new endpoints (Envoy docs, "Slow start mode"). */
function emitSlowStart(settings: LoadBalancerSettings): Fragment<typeof Cluster_SlowStartConfigSchema> | undefined {
  const { warmup, warmupDurationSecs } = settings;
  if (warmup?.duration !== undefined)
    return {
      slowStartWindow: istioDuration(warmup.duration),
      minWeightPercent: { value: warmup.minimumPercent ?? 10 },
      aggression: { defaultValue: warmup.aggression ?? 1, runtimeKey: 'upstream.slow_start.aggression' },
    };
  if (warmupDurationSecs !== undefined && istioMilliseconds(warmupDurationSecs) > 0)
    return { slowStartWindow: istioDuration(warmupDurationSecs) };
  return undefined;
}
