import { describe, expect, it } from '@jest/globals';
import type { DestinationRule } from '@seine/istio';
import type { MeshService } from '@seine/model';
import { aService } from '@seine/testing';
import { consolidate } from './destination-rules-merge.js';
import { indexDestinationRules, type RuleClient, selectDestinationRule } from './destination-rules.js';

const mesh = { rootNamespace: 'istio-system', clusterDomain: 'cluster.local' };

function rule(id: string, host: string, spec: Partial<DestinationRule['spec']> = {}): DestinationRule {
  const [namespace = '', name = ''] = id.split('/');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { namespace, name },
    spec: { host, ...spec },
  };
}

const service = aService({ name: 'reviews', namespace: 'server' });
const { host } = service;
const selecting = (app: string) => ({ workloadSelector: { matchLabels: { app } } });

/** `namespace/name` of the rule that a client finds. */
function found(
  rules: readonly DestinationRule[],
  client: Partial<RuleClient> = {},
  of: MeshService | undefined = service,
  name = host,
): string | undefined {
  const one = selectDestinationRule(name, rules, { namespace: 'client', labels: {}, ...client }, of, mesh);
  return one && `${one.metadata.namespace}/${one.metadata.name}`;
}

describe('selectDestinationRule', () => {
  it.each<[what: string, rules: DestinationRule[], client: Partial<RuleClient>, expected: string | undefined]>([
    ['no rules', [], {}, undefined],
    ['a rule for another host', [rule('client/a', 'ratings.server.svc.cluster.local')], {}, undefined],
    [
      "the client's namespace before the service's and the root",
      [rule('istio-system/root', host), rule('server/theirs', 'reviews'), rule('client/own', host)],
      {},
      'client/own',
    ],
    [
      "the service's namespace before the root",
      [rule('istio-system/root', host), rule('server/theirs', 'reviews')],
      {},
      'server/theirs',
    ],
    [
      'the root namespace',
      [rule('istio-system/root', '*.local'), rule('other/foreign', host)],
      {},
      'istio-system/root',
    ],
    ['a foreign namespace never', [rule('other/foreign', host)], {}, undefined],
    ['a short name belongs to its namespace', [rule('client/own', 'reviews')], {}, undefined],
    [
      'a wildcard of the own namespace before an exact host elsewhere',
      [rule('server/theirs', host), rule('client/own', '*.server.svc.cluster.local')],
      {},
      'client/own',
    ],
    [
      'the exact host before wildcards, whatever their order',
      [rule('client/wide', '*'), rule('client/exact', host), rule('client/narrow', '*.server.svc.cluster.local')],
      {},
      'client/exact',
    ],
    [
      'the narrower wildcard',
      [rule('client/wide', '*'), rule('client/narrow', '*.server.svc.cluster.local'), rule('client/mid', '*.local')],
      {},
      'client/narrow',
    ],
    ['private rules of the service', [rule('server/a', 'reviews', { exportTo: ['.'] })], {}, undefined],
    ['private rules of the client', [rule('client/a', host, { exportTo: ['.'] })], {}, 'client/a'],
    ['rules exported to the client', [rule('server/a', 'reviews', { exportTo: ['client'] })], {}, 'server/a'],
    ['rules exported to others', [rule('server/a', 'reviews', { exportTo: ['other', '.'] })], {}, undefined],
    ['rules exported to all', [rule('server/a', 'reviews', { exportTo: ['*'] })], {}, 'server/a'],
    ['own rules meant for others only', [rule('client/a', host, { exportTo: ['other'] })], {}, undefined],
    [
      "a client in the root namespace: the service's rules before the shared ones",
      [rule('istio-system/root', '*.local'), rule('server/theirs', 'reviews')],
      { namespace: 'istio-system' },
      'server/theirs',
    ],
    [
      'a client in the root namespace: its private rules first',
      [rule('istio-system/root', '*.local', { exportTo: ['.'] }), rule('server/theirs', 'reviews')],
      { namespace: 'istio-system' },
      'istio-system/root',
    ],
    [
      'a workloadSelector that matches, before the rule without',
      [rule('client/all', host), rule('client/some', host, selecting('web'))],
      { labels: { app: 'web' } },
      'client/some',
    ],
    [
      'a workloadSelector that does not match',
      [rule('client/some', host, selecting('web')), rule('client/all', host)],
      { labels: { app: 'db' } },
      'client/all',
    ],
    [
      'a workloadSelector of another namespace',
      [rule('server/some', host, selecting('web'))],
      { labels: { app: 'web' } },
      undefined,
    ],
  ])('%s', (_what, rules, client, expected) => {
    expect(found(rules, client)).toBe(expected);
  });

  it.each([
    ['a host without a service', [rule('client/a', 'example.com')], undefined, 'example.com', 'client/a'],
    ['a wildcard service', [rule('client/a', '*.example.com')], undefined, '*.example.com', 'client/a'],
    ['a wildcard service under a wider rule', [rule('client/a', '*.com')], undefined, '*.example.com', 'client/a'],
    [
      'a wildcard service and a narrower rule',
      [rule('client/a', 'a.example.com')],
      undefined,
      '*.example.com',
      undefined,
    ],
  ])('%s', (_what, rules, of, name, expected) => {
    const one = selectDestinationRule(name, rules, { namespace: 'client', labels: {} }, of, mesh);
    expect(one && `${one.metadata.namespace}/${one.metadata.name}`).toBe(expected);
  });

  it('takes an index as well as a list, and indexes a list once', () => {
    const rules = [rule('client/own', host)];
    const before = indexDestinationRules.runs();
    expect(found(rules)).toBe('client/own');
    const index = indexDestinationRules(rules, mesh.clusterDomain);
    expect(selectDestinationRule(host, index, { namespace: 'client', labels: {} }, service, mesh)).toBe(rules[0]);
    expect(indexDestinationRules.runs() - before).toBe(1);
  });

  it('names the labels that selectors test', () => {
    const index = indexDestinationRules([rule('a/b', host, selecting('web')), rule('a/c', host)], 'cluster.local');
    expect([...index.selectorKeys]).toEqual(['app']);
  });
});

describe('consolidate', () => {
  const subset = (name: string, version = name) => ({ name, labels: { version } });
  const policy = { loadBalancer: { simple: 'RANDOM' } } as const;

  it('keeps the identity of a rule that stands alone', () => {
    const one = rule('a/one', host);
    expect(consolidate([one])).toEqual([one]);
    expect(consolidate([one])[0]).toBe(one);
  });

  it('adds new subsets, and a traffic policy where there is none', () => {
    const first = rule('a/one', host, { subsets: [subset('v1')] });
    const second = rule('a/two', host, { subsets: [subset('v1', 'other'), subset('v2')], trafficPolicy: policy });
    const [merged, ...rest] = consolidate([first, second]);
    expect(rest).toEqual([]);
    expect(merged?.metadata).toBe(first.metadata);
    expect(merged?.spec).toEqual({ host, subsets: [subset('v1'), subset('v2')], trafficPolicy: policy });
    expect(consolidate([first, second])[0]).toBe(merged);
  });

  it('keeps the first traffic policy, and the first rule itself where nothing is new', () => {
    const first = rule('a/one', host, { trafficPolicy: policy });
    const second = rule('a/two', host, { trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } });
    expect(consolidate([first, second])[0]).toBe(first);
  });

  it.each<[what: string, rules: DestinationRule[], expected: string[]]>([
    [
      'different visibility: both stand',
      [rule('a/one', host, { exportTo: ['.'] }), rule('a/two', host, { subsets: [subset('v1')] })],
      ['one ', 'two v1'],
    ],
    [
      'equal selectors: one',
      [
        rule('a/one', host, { ...selecting('x'), subsets: [subset('v1')] }),
        rule('a/two', host, { ...selecting('x'), subsets: [subset('v2')] }),
      ],
      ['one v1,v2'],
    ],
    [
      'different selectors: both stand',
      [
        rule('a/one', host, { ...selecting('x'), subsets: [subset('v1')] }),
        rule('a/two', host, { ...selecting('y'), subsets: [subset('v2')] }),
      ],
      ['one v1', 'two v2'],
    ],
    [
      'a selector beside none: it adds to the other and stands for itself',
      [
        rule('a/one', host, { subsets: [subset('v1')] }),
        rule('a/two', host, { ...selecting('y'), subsets: [subset('v2')] }),
      ],
      ['one v1,v2', 'two v2'],
    ],
  ])('%s', (_what, rules, expected) => {
    const listed = consolidate(rules).map(
      (one) => `${one.metadata.name} ${(one.spec.subsets ?? []).map((each) => each.name).join(',')}`,
    );
    expect(listed).toEqual(expected);
  });
});
