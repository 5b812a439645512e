import { describe, expect, it } from '@jest/globals';
import type { LocalityLoadBalancerSetting, TrafficPolicy } from '@seine/istio';
import { parseLocality } from '@seine/model';
import { anEndpoint, aProxy } from '@seine/testing';
import { groupByLocality } from './endpoint-groups.js';
import { assignLocalities, dependsOnClient, failoverLabelKeys, weighsLocalities } from './locality-load-balancing.js';
import { type LocalityDefaults, localityPolicy } from './locality-setting.js';
import { labelOf, selectLabels } from './topology-labels.js';

const endpoints = [
  anEndpoint('1.0.0.1', { labels: { version: 'v1' } }, 'r2/z1/s1'),
  anEndpoint('1.0.0.2', { labels: { version: 'v1' } }, 'r1/z1/s1'),
  anEndpoint('1.0.0.3', { labels: { version: 'v2' }, weight: 3 }, 'r1/z1/s1'),
  anEndpoint('1.0.0.4', { labels: { version: 'v1' } }, 'r1/z1/s2'),
  anEndpoint('1.0.0.5', { labels: { version: 'v2' } }, 'r1/z2/s1'),
  anEndpoint('1.0.0.6', { labels: {} }, 'r3/z1/s1'),
];
const client = {
  locality: parseLocality('r1/z1/s1'),
  labels: { version: 'v1', 'topology.kubernetes.io/region': 'r1' },
};
const outlierDetection = { consecutive5xxErrors: 5 };

/** `region/zone/subzone priority weight [addresses]` of each group. */
function assigned(policy: TrafficPolicy, from = client, mesh: LocalityDefaults = {}, service = {}): string[] {
  return assignLocalities(endpoints, localityPolicy(policy, service, mesh), from).map(
    ({ locality, priority, weight, endpoints: members }) => {
      const place = `${locality.region}/${locality.zone}/${locality.subzone}`;
      return `${place} p${priority} w${weight} ${members.map((one) => one.address.slice(-1)).join('')}`;
    },
  );
}

const setting = (localityLbSetting: LocalityLoadBalancerSetting): TrafficPolicy => ({
  outlierDetection,
  loadBalancer: { localityLbSetting },
});
const flat = ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p0 w1 4', 'r1/z2/s1 p0 w1 5', 'r2/z1/s1 p0 w1 1', 'r3/z1/s1 p0 w1 6'];

describe('assignLocalities', () => {
  it.each<[what: string, policy: TrafficPolicy, expected: string[]]>([
    ['no policy: by place, all equal', {}, flat],
    ['no failover without outlier detection', { loadBalancer: { localityLbSetting: { failover: [] } } }, flat],
    ['turned off', setting({ enabled: false }), flat],
    [
      'outlier detection brings failover by nearness',
      { outlierDetection },
      ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p1 w1 4', 'r1/z2/s1 p2 w1 5', 'r2/z1/s1 p3 w1 1', 'r3/z1/s1 p3 w1 6'],
    ],
    [
      'failover to a named region first',
      setting({ failover: [{ from: 'r1', to: 'r3' }] }),
      ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p1 w1 4', 'r1/z2/s1 p2 w1 5', 'r2/z1/s1 p4 w1 1', 'r3/z1/s1 p3 w1 6'],
    ],
    [
      'failover of another region changes nothing here',
      setting({ failover: [{ from: 'r9', to: 'r3' }] }),
      ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p1 w1 4', 'r1/z2/s1 p2 w1 5', 'r2/z1/s1 p3 w1 1', 'r3/z1/s1 p3 w1 6'],
    ],
    [
      'failover by labels splits localities',
      setting({ failoverPriority: ['version', 'topology.kubernetes.io/region'] }),
      [
        'r1/z1/s1 p0 w1 2',
        'r1/z1/s1 p2 w3 3',
        'r1/z1/s2 p0 w1 4',
        'r1/z2/s1 p2 w1 5',
        'r2/z1/s1 p1 w1 1',
        'r3/z1/s1 p2 w1 6',
      ],
    ],
    [
      'failover by a label with its value',
      setting({ failoverPriority: ['version=v2'] }),
      [
        'r1/z1/s1 p0 w3 3',
        'r1/z1/s1 p1 w1 2',
        'r1/z1/s2 p1 w1 4',
        'r1/z2/s1 p0 w1 5',
        'r2/z1/s1 p1 w1 1',
        'r3/z1/s1 p1 w1 6',
      ],
    ],
    [
      'failover by labels, then by region',
      setting({ failoverPriority: ['version'], failover: [{ from: 'r1', to: 'r2' }] }),
      [
        'r1/z1/s1 p0 w1 2',
        'r1/z1/s1 p3 w3 3',
        'r1/z1/s2 p1 w1 4',
        'r1/z2/s1 p4 w1 5',
        'r2/z1/s1 p2 w1 1',
        'r3/z1/s1 p5 w1 6',
      ],
    ],
    [
      'distribution by percent; who is not named gets nothing',
      setting({ distribute: [{ from: 'r1/z1/*', to: { 'r1/z1/s1': 70, 'r1/z2/*': 20, 'r2/*': 10 } }] }),
      ['r1/z1/s1 p0 w70 23', 'r1/z2/s1 p0 w20 5', 'r2/z1/s1 p0 w10 1'],
    ],
    [
      'a pattern over several localities shares by their weights',
      setting({ distribute: [{ from: 'r1', to: { 'r1/*': 90, '*': 10 } }] }),
      ['r1/z1/s1 p0 w60 23', 'r1/z1/s2 p0 w15 4', 'r1/z2/s1 p0 w15 5', 'r2/z1/s1 p0 w5 1', 'r3/z1/s1 p0 w5 6'],
    ],
    ['distribution for other clients', setting({ distribute: [{ from: 'r2/*', to: { 'r2/*': 100 } }] }), flat],
  ])('%s', (_what, policy, expected) => {
    expect(assigned(policy)).toEqual(expected);
  });

  it('says nothing of priorities while the client is unknown', () => {
    expect(assigned({ outlierDetection }, { ...client, locality: parseLocality('') })[0]).toMatch(/ p0 /);
    const unknown = { locality: undefined, labels: {} };
    expect(assignLocalities(endpoints, localityPolicy({ outlierDetection }, {}, {}), unknown)).toHaveLength(5);
  });

  const byPlace = ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p1 w1 4', 'r1/z2/s1 p2 w1 5', 'r2/z1/s1 p3 w1 1', 'r3/z1/s1 p3 w1 6'];
  const toR3 = ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p0 w1 4', 'r1/z2/s1 p0 w1 5', 'r2/z1/s1 p2 w1 1', 'r3/z1/s1 p1 w1 6'];
  const zoneAware = { failover: [{ from: 'r1', to: 'r3' }] };
  it.each<[what: string, policy: TrafficPolicy, mesh: LocalityDefaults, service: object, expected: string[]]>([
    ['the mesh turns failover off', { outlierDetection }, { localityLbSetting: { enabled: false } }, {}, flat],
    ['a rule goes before the mesh', setting({}), { localityLbSetting: { enabled: false } }, {}, byPlace],
    [
      'the mesh distributes',
      {},
      { localityLbSetting: { distribute: [{ from: 'r1', to: { 'r2/*': 100 } }] } },
      {},
      ['r2/z1/s1 p0 w100 1'],
    ],
    ['zone-aware: regions only', { loadBalancer: { zoneAwareLbSetting: zoneAware } }, {}, {}, toR3],
    ['zone-aware by the mesh', {}, { zoneAwareLbSetting: zoneAware, localityLbSetting: {} }, {}, toR3],
    ['zone-aware turned off', { loadBalancer: { zoneAwareLbSetting: { enabled: false } } }, {}, {}, flat],
    [
      'a Service that prefers its zone, without outlier detection',
      {},
      {},
      { trafficDistribution: 'PreferSameZone' },
      ['r1/z1/s1 p0 w4 23', 'r1/z1/s2 p0 w1 4', 'r1/z2/s1 p1 w1 5', 'r2/z1/s1 p2 w1 1', 'r3/z1/s1 p2 w1 6'],
    ],
    [
      'another network comes last, and there too the near ones first',
      setting({ failoverPriority: ['topology.istio.io/network', 'version'] }),
      {},
      {},
      [
        'r1/z1/s1 p0 w1 2',
        'r1/z1/s1 p1 w3 3',
        'r1/z1/s2 p0 w1 4',
        'r1/z2/s1 p1 w1 5',
        'r2/z1/s1 p0 w1 1',
        'r3/z1/s1 p1 w1 6',
      ],
    ],
  ])('%s', (_what, policy, mesh, service, expected) => {
    const near = { ...client.labels, 'topology.kubernetes.io/zone': 'z1', 'topology.istio.io/network': 'n' };
    expect(assigned(policy, { ...client, labels: near }, mesh, service)).toEqual(expected);
  });
});

describe('groupByLocality', () => {
  it('makes the same groups of the same endpoints in any order of places', () => {
    const places = (list: typeof endpoints) => groupByLocality(list).map((group) => group.locality);
    expect(places([...endpoints].reverse())).toEqual(places(endpoints));
  });

  it('caps sums of weights at what Envoy takes', () => {
    const heavy = [1, 2].map((n) => anEndpoint(`1.0.0.${n}`, { weight: 0xffff_ffff }));
    expect(groupByLocality(heavy)[0]?.weight).toBe(0xffff_ffff);
  });
});

describe('what a policy asks of the client', () => {
  it.each<[policy: TrafficPolicy, depends: boolean, weighs: boolean, labels: string[]]>([
    [{}, false, false, []],
    [{ outlierDetection }, true, false, []],
    [setting({ enabled: false, failoverPriority: ['a'] }), false, false, []],
    [setting({ failover: [{ from: 'a', to: 'b' }] }), true, true, []],
    [setting({ failoverPriority: ['a', 'b=c'] }), true, true, ['a', 'b']],
    [{ loadBalancer: { localityLbSetting: { distribute: [{ from: '*', to: { '*': 100 } }] } } }, true, true, []],
    [{ loadBalancer: { localityLbSetting: { failoverPriority: ['a'] } } }, false, false, []],
  ])('%j', (policy, depends, weighs, labels) => {
    const found = localityPolicy(policy, {}, {});
    expect([dependsOnClient(found), weighsLocalities(found), failoverLabelKeys(found)]).toEqual([
      depends,
      weighs,
      labels,
    ]);
  });
});

describe('topology labels', () => {
  const proxy = aProxy({ labels: { app: 'a' }, locality: parseLocality('r/z/s'), network: 'n', nodeName: 'node-1' });
  it.each([
    ['app', 'a'],
    ['topology.kubernetes.io/region', 'r'],
    ['topology.kubernetes.io/zone', 'z'],
    ['topology.istio.io/subzone', 's'],
    ['topology.istio.io/network', 'n'],
    ['kubernetes.io/hostname', 'node-1'],
    ['missing', ''],
  ])('%s', (key, expected) => {
    expect(labelOf(key, proxy)).toBe(expected);
    expect(selectLabels([key], proxy)).toEqual({ [key]: expected });
  });
});
