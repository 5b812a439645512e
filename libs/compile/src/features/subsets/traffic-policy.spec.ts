import { describe, expect, it } from '@jest/globals';
import type { DestinationRule, TrafficPolicy } from '@seine/istio';
import { effectiveTrafficPolicy, subsetsOf } from './traffic-policy.js';

const max = (maxConnections: number) => ({ connectionPool: { tcp: { maxConnections } } });
const rule: DestinationRule = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { namespace: 'default', name: 'reviews' },
  spec: {
    host: 'reviews',
    trafficPolicy: {
      ...max(1),
      outlierDetection: { consecutive5xxErrors: 7 },
      portLevelSettings: [{ port: { number: 81 }, ...max(2) }],
    },
    subsets: [
      { name: 'plain', labels: { version: 'v0' } },
      { name: 'own', trafficPolicy: { ...max(3), portLevelSettings: [{ port: { number: 82 }, ...max(4) }] } },
      { name: 'lb', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
      { name: 'own', labels: { version: 'second' } },
    ],
  },
};

describe('effectiveTrafficPolicy', () => {
  it.each<[what: string, subset: string | undefined, port: number, expected: TrafficPolicy]>([
    ['the rule', undefined, 80, { ...max(1), outlierDetection: { consecutive5xxErrors: 7 } }],
    ['the rule for a port, which replaces the other blocks', undefined, 81, max(2)],
    ['a subset without a policy', 'plain', 80, { ...max(1), outlierDetection: { consecutive5xxErrors: 7 } }],
    ['a subset without a policy on a port', 'plain', 81, max(2)],
    ['a subset over the rule, block by block', 'own', 80, { ...max(3), outlierDetection: { consecutive5xxErrors: 7 } }],
    ['a subset over the rule for a port', 'own', 81, max(3)],
    ['a subset for a port', 'own', 82, max(4)],
    [
      'a subset that sets another block',
      'lb',
      80,
      { ...max(1), outlierDetection: { consecutive5xxErrors: 7 }, loadBalancer: { simple: 'RANDOM' } },
    ],
    ['an unknown subset', 'missing', 81, max(2)],
  ])('%s', (_what, subset, port, expected) => {
    const found = effectiveTrafficPolicy(rule, subset, port);
    expect(JSON.parse(JSON.stringify(found))).toEqual(expected);
  });

  it('is empty without a rule', () => {
    expect(effectiveTrafficPolicy(undefined, 'v1', 80)).toEqual({});
    const mesh = { defaultTrafficPolicy: { ...max(9), outlierDetection: { consecutive5xxErrors: 9 } } };
    expect(effectiveTrafficPolicy(undefined, undefined, 80, mesh)).toEqual(mesh.defaultTrafficPolicy);
    expect(effectiveTrafficPolicy(rule, undefined, 81, mesh)).toMatchObject({
      ...max(2),
      outlierDetection: { consecutive5xxErrors: 9 },
    });
  });
});

describe('subsetsOf', () => {
  it('keeps the first of equal names', () => {
    expect(subsetsOf(rule).map((subset) => subset.name)).toEqual(['plain', 'own', 'lb']);
    expect(subsetsOf(undefined)).toEqual([]);
  });
});
