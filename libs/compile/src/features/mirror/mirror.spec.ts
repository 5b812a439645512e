import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { RouteAction_RequestMirrorPolicySchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRoute } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { emitMirrors } from './emit-mirrors.js';

const scope = { namespace: 'default', port: 80, tls: false, destinations: new Map(), config: defaultMeshConfig };
const policy = (cluster: string, default_value: object): object => ({
  cluster,
  runtime_fraction: { default_value },
  trace_sampled: false,
  disable_shadow_host_suffix_append: true,
});
const v2 = 'outbound|80|v2|service2.default.svc.cluster.local';
const mirror = { host: 'service2', subset: 'v2' };

describe('emitMirrors', () => {
  it.each<[string, HTTPRoute, object[]]>([
    ['none', {}, []],
    ['every request by default', { mirror }, [policy(v2, { numerator: 1_000_000, denominator: 'MILLION' })]],
    [
      'a percentage',
      { mirror, mirrorPercentage: { value: 12.5 } },
      [policy(v2, { numerator: 125_000, denominator: 'MILLION' })],
    ],
    ['the older integer percent', { mirror, mirrorPercent: 30 }, [policy(v2, { numerator: 30 })]],
    ['zero percent', { mirror, mirrorPercentage: { value: 0 } }, []],
    ['zero integer percent', { mirror, mirrorPercent: 0 }, []],
    [
      'several',
      {
        mirror,
        mirrors: [
          { destination: { host: 'a.example.com', port: { number: 8080 } } },
          { destination: { host: 'b.example.com' }, percentage: { value: 1 } },
          { destination: { host: 'c.example.com' }, percentage: { value: 0 } },
        ],
      },
      [
        policy(v2, { numerator: 1_000_000, denominator: 'MILLION' }),
        policy('outbound|8080||a.example.com', { numerator: 1_000_000, denominator: 'MILLION' }),
        policy('outbound|80||b.example.com', { numerator: 10_000, denominator: 'MILLION' }),
      ],
    ],
  ])('%s', (_, route, expected) => {
    const emitted = emitMirrors(route, scope).map((m) => toEnvoyJson(RouteAction_RequestMirrorPolicySchema, m));
    expect(emitted).toEqual(expected);
  });
});
