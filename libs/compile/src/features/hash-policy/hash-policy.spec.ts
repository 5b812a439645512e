import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { RouteAction_HashPolicySchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { DestinationRule } from '@seine/istio';
import type { ResolvedDestination } from '../routing/destination.js';
import { emitHashPolicies } from './emit-hash-policy.js';

type Spec = DestinationRule['spec'];
const host = 'service2.default.svc.cluster.local';
const destination = (spec: Spec | undefined, subset?: string, port = 80): ResolvedDestination => ({
  host,
  port,
  subset,
  cluster: '',
  facts: {
    host,
    service: undefined,
    rule: spec && {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'service2', namespace: 'default' },
      spec,
    },
  },
});
const hashed = (consistentHash: object): object => ({ loadBalancer: { consistentHash } });
const byHeader = hashed({ httpHeaderName: 'version' });
const header = { header: { header_name: 'version' } };

describe('emitHashPolicies', () => {
  it.each<[string, Spec | undefined, string | undefined, object[]]>([
    ['no rule', undefined, undefined, []],
    ['another load balancer', { host, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }, undefined, []],
    ['a header', { host, trafficPolicy: byHeader }, undefined, [header]],
    [
      'a cookie',
      { host, trafficPolicy: hashed({ httpCookie: { name: 'user', path: '/a', ttl: '30s' } }) },
      undefined,
      [{ cookie: { name: 'user', path: '/a', ttl: '30s' } }],
    ],
    [
      'a session cookie with attributes',
      {
        host,
        trafficPolicy: hashed({
          httpCookie: { name: 'u', ttl: '0s', attributes: [{ name: 'SameSite', value: 'Lax' }] },
        }),
      },
      undefined,
      [{ cookie: { name: 'u', ttl: '0s', attributes: [{ name: 'SameSite', value: 'Lax' }] } }],
    ],
    [
      'the source address',
      { host, trafficPolicy: hashed({ useSourceIp: true }) },
      undefined,
      [{ connection_properties: { source_ip: true } }],
    ],
    [
      'a query parameter',
      { host, trafficPolicy: hashed({ httpQueryParameterName: 'id' }) },
      undefined,
      [{ query_parameter: { name: 'id' } }],
    ],
    ['nothing to hash by', { host, trafficPolicy: hashed({ ringHash: {} }) }, undefined, []],
    [
      "the subset's before the rule's",
      {
        host,
        trafficPolicy: byHeader,
        subsets: [{ name: 'v1', trafficPolicy: hashed({ httpQueryParameterName: 'id' }) }],
      },
      'v1',
      [{ query_parameter: { name: 'id' } }],
    ],
    [
      "the rule's where the subset says nothing",
      { host, trafficPolicy: byHeader, subsets: [{ name: 'v1' }] },
      'v1',
      [header],
    ],
    [
      "the port's before the rule's",
      {
        host,
        trafficPolicy: {
          ...hashed({ useSourceIp: true }),
          portLevelSettings: [{ port: { number: 80 }, ...byHeader }],
        },
      },
      undefined,
      [header],
    ],
    [
      "another port's not",
      { host, trafficPolicy: { portLevelSettings: [{ port: { number: 81 }, ...byHeader }] } },
      undefined,
      [],
    ],
  ])('%s', (_, spec, subset, expected) => {
    const emitted = emitHashPolicies([destination(spec, subset)]);
    expect(emitted.map((policy) => toEnvoyJson(RouteAction_HashPolicySchema, policy))).toEqual(expected);
  });

  it('states a policy that several destinations share once', () => {
    const spec: Spec = { host, trafficPolicy: byHeader };
    expect(emitHashPolicies([destination(spec, 'v1'), destination(spec, 'v2')])).toHaveLength(1);
  });
});
