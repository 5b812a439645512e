import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { LoadBalancerSettings } from '@seine/istio';
import { emitLoadBalancing } from './load-balancing.js';

const slowStart = { slow_start_window: '60s' };

describe('emitLoadBalancing', () => {
  it.each<[what: string, settings: LoadBalancerSettings | undefined, expected: object]>([
    ['default', undefined, { lb_policy: 'LEAST_REQUEST' }],
    ['UNSPECIFIED', { simple: 'UNSPECIFIED' }, { lb_policy: 'LEAST_REQUEST' }],
    ['LEAST_CONN', { simple: 'LEAST_CONN' }, { lb_policy: 'LEAST_REQUEST' }],
    ['LEAST_REQUEST', { simple: 'LEAST_REQUEST' }, { lb_policy: 'LEAST_REQUEST' }],
    ['RANDOM', { simple: 'RANDOM' }, { lb_policy: 'RANDOM' }],
    ['ROUND_ROBIN', { simple: 'ROUND_ROBIN' }, {}],
    [
      'consistent hash',
      { consistentHash: { httpHeaderName: 'x-user' } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '1024' } },
    ],
    [
      'deprecated ring size',
      { consistentHash: { useSourceIp: true, minimumRingSize: 42 } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '42' } },
    ],
    [
      'ring hash',
      { consistentHash: { useSourceIp: true, ringHash: { minimumRingSize: 99 } } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '99' } },
    ],
    ['maglev', { consistentHash: { useSourceIp: true, maglev: {} } }, { lb_policy: 'MAGLEV' }],
    [
      'maglev with a table size',
      { consistentHash: { useSourceIp: true, maglev: { tableSize: 1021 } } },
      { lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '1021' } },
    ],
    [
      'warm-up',
      { simple: 'LEAST_REQUEST', warmup: { duration: '60s', minimumPercent: 20, aggression: 2 } },
      {
        lb_policy: 'LEAST_REQUEST',
        least_request_lb_config: {
          slow_start_config: {
            ...slowStart,
            min_weight_percent: { value: 20 },
            aggression: { default_value: 2, runtime_key: 'upstream.slow_start.aggression' },
          },
        },
      },
    ],
    [
      'deprecated warm-up',
      { simple: 'ROUND_ROBIN', warmupDurationSecs: '1m' },
      { round_robin_lb_config: { slow_start_config: slowStart } },
    ],
  ])('%s', (_what, settings, expected) => {
    const cluster = create(ClusterSchema, emitLoadBalancing(settings, false));
    expect(toEnvoyJson(ClusterSchema, cluster)).toEqual(expected);
  });

  it.each<[what: string, settings: LoadBalancerSettings | undefined, expected: object]>([
    ['default', undefined, {}],
    ['LEAST_REQUEST', { simple: 'LEAST_REQUEST', warmup: { duration: '1s' } }, {}],
    ['RANDOM', { simple: 'RANDOM' }, {}],
    [
      'maglev',
      { consistentHash: { httpHeaderName: 'x', maglev: { tableSize: 1021 } } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '1024' } },
    ],
  ])('gRPC libraries get what they know: %s', (_what, settings, expected) => {
    const cluster = create(ClusterSchema, emitLoadBalancing(settings, true));
    expect(toEnvoyJson(ClusterSchema, cluster)).toEqual(expected);
  });
});
