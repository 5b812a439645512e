import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { encodeResource, toEnvoyJson } from '@seine/envoy';
import { LbEndpointSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js';
import { ClusterLoadAssignmentSchema } from '@seine/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import type { DestinationRule, Subset } from '@seine/istio';
import { parseLocality } from '@seine/model';
import { anEndpoint, aPort, aProxy, aService, endpointsOf } from '@seine/testing';
import { groupByLocality, groupOf } from '../features/locality/endpoint-groups.js';
import { clientLabelsForFailover, dependsOnClientLocality, emitLoadAssignments } from './endpoints.js';
import { emitLbEndpoint, emitLoadAssignment } from './endpoints-message.js';
import { encodeLbEndpointField, encodeLoadAssignment } from './endpoints-splice.js';

const rule = (spec: Partial<DestinationRule['spec']>): DestinationRule => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { namespace: 'default', name: 'reviews' },
  spec: { host: 'reviews', ...spec },
});

const places = ['', 'r1', 'r1/z1', 'r1/z1/s1', 'région/zone/øst'];
const many = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    anEndpoint(`10.0.${i >> 8}.${i & 255}`, { labels: { app: `a${i % 7}` }, weight: 1 + (i % 300) }, places[i % 5]),
  );

describe('encodeLoadAssignment', () => {
  it.each([
    ['no endpoints', []],
    ['one endpoint', groupByLocality(many(1))],
    ['a unix socket', groupByLocality([anEndpoint('unix:///var/run/a.sock', { port: 0 })])],
    ['1,000 endpoints in five localities', groupByLocality(many(1000))],
    ['priorities', [groupOf(parseLocality('a'), many(3), 0), groupOf(parseLocality('b'), many(200), 200)]],
    ['the greatest weight', [{ ...groupOf(parseLocality(''), many(1)), weight: 0xffff_ffff }]],
  ])('equals the encoded message: %s', (_what, groups) => {
    const name = 'outbound|9080||reviews.default.svc.cluster.local';
    const message = emitLoadAssignment(name, groups);
    const bytes = encodeLoadAssignment(name, groups);
    expect(bytes.equals(encodeResource(ClusterLoadAssignmentSchema, message))).toBe(true);
    expect(fromBinary(ClusterLoadAssignmentSchema, bytes)).toEqual(message);
  });

  it('encodes an endpoint once, however often its neighbours change', () => {
    const before = encodeLbEndpointField.runs();
    const list = many(10);
    for (let i = 1; i <= list.length; i++) encodeLoadAssignment('c', groupByLocality(list.slice(0, i)));
    expect(encodeLbEndpointField.runs() - before).toBe(list.length);
  });
});

describe('emitLbEndpoint', () => {
  it.each([
    [
      'labels of the workload',
      anEndpoint('10.0.0.1', {
        port: 8080,
        weight: 5,
        health: 'draining',
        labels: { app: 'reviews', version: 'v2', 'topology.istio.io/cluster': 'east' },
        workload: { name: 'reviews-v2', namespace: 'shop' },
      }),
      {
        endpoint: { address: { socket_address: { address: '10.0.0.1', port_value: 8080 } } },
        health_status: 'DRAINING',
        metadata: { filter_metadata: { istio: { workload: 'reviews-v2;shop;reviews;v2;east' } } },
        load_balancing_weight: 5,
      },
    ],
    [
      'a unix socket without labels',
      anEndpoint('unix:///run/a.sock', { port: 0, health: 'unhealthy', workload: { name: 'vm', namespace: 'shop' } }),
      {
        endpoint: { address: { pipe: { path: '/run/a.sock' } } },
        health_status: 'UNHEALTHY',
        metadata: { filter_metadata: { istio: { workload: 'vm;shop;vm;latest;' } } },
        load_balancing_weight: 1,
      },
    ],
  ])('%s', (_what, endpoint, expected) => {
    expect(toEnvoyJson(LbEndpointSchema, emitLbEndpoint(endpoint))).toEqual(expected);
  });
});

describe('emitLoadAssignments', () => {
  const service = aService({ name: 'reviews', ports: [aPort(9080), aPort(9090, 'TCP'), aPort(53, 'UDP')] });
  const v1 = anEndpoint('10.0.0.1', { labels: { version: 'v1', track: 'stable' } }, 'r1/z1');
  const v2 = anEndpoint('10.0.0.2', { labels: { version: 'v2', track: 'stable' } }, 'r2/z1');
  const endpoints = endpointsOf(service, 9080, [v1, v2]);
  const subsets: Subset[] = [
    { name: 'v1', labels: { version: 'v1' } },
    { name: 'stable', labels: { track: 'stable' } },
    { name: 'both', labels: { track: 'stable', version: 'v2' } },
    { name: 'none', labels: { version: 'v9' } },
  ];

  /** `name: addresses with priority` of every assignment. */
  function listed(input: Partial<Parameters<typeof emitLoadAssignments>[0]>): string[] {
    const base = { service, endpoints, rule: undefined, clientLocality: undefined, config: {} };
    return emitLoadAssignments({ ...base, ...input }).map(({ name, bytes }) => {
      const decoded = fromBinary(ClusterLoadAssignmentSchema, bytes);
      expect(decoded.clusterName).toBe(name);
      const members = decoded.endpoints.flatMap((group) =>
        group.lbEndpoints.map((one) => {
          const address =
            one.hostIdentifier.case === 'endpoint' ? one.hostIdentifier.value.address?.address : undefined;
          return `${address?.case === 'socketAddress' ? address.value.address.slice(-1) : '?'}p${group.priority}`;
        }),
      );
      return `${name.split('|').slice(1, 3).join(' ').trim()}: ${members.join(' ')}`.trim();
    });
  }

  it.each([
    ['no rule; no UDP; a port without endpoints is empty, not missing', {}, ['9080: 1p0 2p0', '9090:']],
    ['no endpoints', { endpoints: undefined }, ['9080:', '9090:']],
    [
      'subsets',
      { rule: rule({ subsets }) },
      [
        '9080: 1p0 2p0',
        '9080 v1: 1p0',
        '9080 stable: 1p0 2p0',
        '9080 both: 2p0',
        '9080 none:',
        '9090:',
        '9090 v1:',
        '9090 stable:',
        '9090 both:',
        '9090 none:',
      ],
    ],
    [
      'failover near the client, by each cluster’s own policy',
      {
        rule: rule({
          trafficPolicy: { outlierDetection: {} },
          subsets: [
            {
              name: 'off',
              labels: { track: 'stable' },
              trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } },
            },
          ],
        }),
        clientLocality: parseLocality('r2/z1'),
      },
      ['9080: 1p1 2p0', '9080 off: 1p0 2p0', '9090:', '9090 off:'],
    ],
    [
      'failover by labels',
      {
        rule: rule({
          trafficPolicy: {
            outlierDetection: {},
            loadBalancer: { localityLbSetting: { failoverPriority: ['version'] } },
          },
        }),
        clientLocality: parseLocality(''),
        clientLabels: { version: 'v2' },
      },
      ['9080: 1p1 2p0', '9090:'],
    ],
    ['DNS services stand in the cluster', { service: { ...service, resolution: 'dns' as const } }, []],
    [
      'headless services have EDS for gateways',
      { service: { ...service, resolution: 'passthrough' as const } },
      ['9080: 1p0 2p0', '9090:'],
    ],
  ])('%s', (_what, input, expected) => {
    expect(listed(input)).toEqual(expected);
  });

  it.each<[what: string, rule: DestinationRule | undefined, locality: boolean, labels: object | undefined]>([
    ['no rule', undefined, false, undefined],
    ['a rule without locality', rule({ subsets }), false, undefined],
    ['outlier detection', rule({ trafficPolicy: { outlierDetection: {} } }), true, undefined],
    ['of a subset only', rule({ subsets: [{ name: 'v1', trafficPolicy: { outlierDetection: {} } }] }), true, undefined],
    [
      'failoverPriority',
      rule({
        trafficPolicy: {
          outlierDetection: {},
          loadBalancer: { localityLbSetting: { failoverPriority: ['topology.istio.io/network', 'app=x'] } },
        },
      }),
      true,
      { app: 'client', 'topology.istio.io/network': 'n1' },
    ],
  ])('what it asks of clients: %s', (_what, one, locality, labels) => {
    const client = aProxy({ labels: { app: 'client', other: 'x' }, network: 'n1' });
    expect(dependsOnClientLocality(service, one, {})).toBe(locality);
    expect(clientLabelsForFailover(service, one, client, {})).toEqual(labels);
  });
});
