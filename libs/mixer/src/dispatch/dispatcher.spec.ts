import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { textOf } from '../attributes/text-of.js';
import type { AttributeBag } from '../attributes/value-type.js';
import { compilePolicy } from '../policy/compile-policy.js';
import type { MixerPolicy } from '../policy/policy.js';
import { bagOf, mixerObject } from '../testing/objects.js';
import { RuleDispatcher } from './dispatcher.js';

const handler = mixerObject('handler', 'h', { compiledAdapter: 'any' });
const instances = [
  mixerObject('instance', 'nothing', { compiledTemplate: 'checknothing' }),
  mixerObject('instance', 'entry', { compiledTemplate: 'listentry', params: { value: 'source.name' } }),
  mixerObject('instance', 'log', { compiledTemplate: 'logentry' }),
  mixerObject('instance', 'count', { compiledTemplate: 'quota' }),
  mixerObject('quota', 'old', {}),
];

function rule(id: string, given: readonly string[], match = '', more: object = {}): ConfigObject {
  return mixerObject('rule', id, {
    match,
    actions: [{ handler: 'h.istio-system', instances: given.map((name) => `${name}.istio-system`) }],
    ...more,
  });
}

function policyOf(...objects: readonly ConfigObject[]): MixerPolicy {
  const policy = compilePolicy([handler, ...instances, ...objects]);
  expect(policy.problems).toEqual([]);
  return policy;
}

function dispatcherAt(clock: { now: number } = { now: 0 }, drawn: readonly number[] = []): RuleDispatcher {
  const left = [...drawn];
  return new RuleDispatcher({ rootNamespace: 'istio-system', now: () => clock.now, random: () => left.shift() ?? 0 });
}

describe('whose rules are about a request', () => {
  const policy = policyOf(
    rule('istio-system/root', ['nothing', 'log']),
    rule('shop/own', ['nothing', 'log']),
    rule('bank/other', ['nothing', 'log']),
  );
  const dispatcher = dispatcherAt();

  it.each<readonly [what: string, bag: Parameters<typeof bagOf>[0], rules: readonly string[]]>([
    ['what comes in', { 'context.reporter.kind': 'inbound', 'destination.namespace': 'shop' }, ['root', 'own']],
    ['nobody says which side', { 'destination.namespace': 'shop', 'source.namespace': 'bank' }, ['root', 'own']],
    [
      'what goes out',
      { 'context.reporter.kind': 'outbound', 'source.namespace': 'bank', 'destination.namespace': 'shop' },
      ['root', 'other'],
    ],
    ['a namespace without rules', { 'destination.namespace': 'garden' }, ['root']],
    ['the root namespace itself', { 'destination.namespace': 'istio-system' }, ['root']],
    ['nobody knows where', {}, ['root']],
  ])('%s', (_, values, rules) => {
    const bag = bagOf(values);
    const names = (list: readonly { readonly rule: { readonly name: string } }[]): readonly string[] =>
      list.map((one) => one.rule.name.split('.', 1)[0] ?? '');
    expect(names(dispatcher.resolveCheck(policy, bag))).toEqual(rules);
    expect(names(dispatcher.resolveReport(policy, bag))).toEqual(rules);
    expect(dispatcher.rules(policy, bag).map(({ name }) => name.split('.', 1)[0])).toEqual(rules);
  });
});

describe('which rules match', () => {
  const check = (match: string, bag: AttributeBag): number =>
    dispatcherAt().resolveCheck(policyOf(rule('r', ['nothing'], match)), bag).length;

  it.each<readonly [match: string, bag: Parameters<typeof bagOf>[0], expected: number]>([
    ['', {}, 1],
    ['true', {}, 1],
    ['request.method == "GET"', { 'request.method': 'GET' }, 1],
    ['request.method == "GET"', { 'request.method': 'PUT' }, 0],
    // What has no value does not match.
    ['request.method == "GET"', {}, 0],
    ['request.method != "GET"', {}, 0],
    ['request.headers["a"] == "b" || true', {}, 1],
  ])('%s %j', (match, bag, expected) => expect(check(match, bagOf(bag))).toBe(expected));
});

describe('what is handed over', () => {
  const policy = policyOf(rule('r', ['nothing', 'entry', 'log', 'count']));
  const bag = bagOf({});

  it('is told apart by template', () => {
    const dispatcher = dispatcherAt();
    const templates = (list: readonly { readonly instance: { readonly template: string } }[]): readonly string[] =>
      list.map(({ instance }) => instance.template);
    expect(templates(dispatcher.resolveCheck(policy, bag))).toEqual(['checknothing', 'listentry']);
    expect(templates(dispatcher.resolveReport(policy, bag))).toEqual(['logentry']);
    expect(dispatcher.resolveQuota(policy, bag)).toEqual([]);
  });

  it('is the same object for each request, so that it may be a key', () => {
    const dispatcher = dispatcherAt();
    expect(dispatcher.resolveCheck(policy, bag)[0]).toBe(dispatcher.resolveCheck(policy, bag)[0]);
  });
});

describe('quotas', () => {
  const spec = (id: string, rules: readonly object[]): ConfigObject => mixerObject('QuotaSpec', id, { rules });
  const binding = (id: string, services: readonly object[], quotaSpecs: readonly object[]): ConfigObject =>
    mixerObject('QuotaSpecBinding', id, { services, quotaSpecs });
  const cart = { 'destination.service.host': 'cart.shop.svc.cluster.local', 'destination.namespace': 'shop' };
  const specs = [
    spec('shop/all', [{ quotas: [{ quota: 'count', charge: 3 }] }]),
    spec('shop/some', [
      {
        match: [
          { clause: { 'request.path': { prefix: '/a' }, 'request.method': { exact: 'GET' } } },
          { clause: { 'request.size': { regex: '[0-9]{3}' } } },
        ],
        quotas: [{ quota: 'count' }, { quota: 'old', charge: 2 }],
      },
    ]),
  ];
  const quotaRules = [
    rule('r', ['count']),
    mixerObject('rule', 's', { actions: [{ handler: 'h', instances: ['old.quota'] }] }),
  ];

  const charged = (services: readonly object[], of: readonly string[], bag: Parameters<typeof bagOf>[0]): unknown => {
    const bound = binding(
      'shop/b',
      services,
      of.map((name) => ({ name })),
    );
    const policy = policyOf(...specs, ...quotaRules, bound);
    return dispatcherAt()
      .resolveQuota(policy, bagOf(bag))
      .map(({ instance, amount }) => [instance.object.name, amount]);
  };

  it.each<readonly [string, readonly object[], readonly string[], Parameters<typeof bagOf>[0], unknown]>([
    ['by name', [{ name: 'cart' }], ['all'], cart, [['count', 3]]],
    ['by name and namespace', [{ name: 'cart', namespace: 'bank' }], ['all'], cart, []],
    ['by its host', [{ service: 'cart.shop.svc.cluster.local' }], ['all'], cart, [['count', 3]]],
    ['by another domain', [{ name: 'cart', domain: 'svc.example.com' }], ['all'], cart, []],
    ['all services', [{ service: '*' }], ['all'], cart, [['count', 3]]],
    ['all services, as a name', [{ name: '*' }], ['all'], cart, [['count', 3]]],
    ['of all services where nobody knows which', [{ service: '*' }], ['all'], {}, [['count', 3]]],
    [
      'by a clause',
      [{ name: 'cart' }],
      ['some'],
      { ...cart, 'request.path': '/ab', 'request.method': 'GET' },
      [
        ['count', 1],
        ['old', 2],
      ],
    ],
    ['by half a clause', [{ name: 'cart' }], ['some'], { ...cart, 'request.path': '/ab' }, []],
    [
      'by the other clause',
      [{ name: 'cart' }],
      ['some'],
      { ...cart, 'request.size': 123 },
      [
        ['count', 1],
        ['old', 2],
      ],
    ],
    ['by an expression for all of it', [{ name: 'cart' }], ['some'], { ...cart, 'request.size': 1234 }, []],
    [
      'by both',
      [{ name: 'cart' }],
      ['all', 'some'],
      { ...cart, 'request.size': 123 },
      [
        ['count', 4],
        ['old', 2],
      ],
    ],
  ])('are charged %s', (_, services, of, bag, expected) => {
    expect(charged(services, of, bag)).toEqual(expected);
  });

  it('are charged once, whichever rules hand them over', () => {
    const bound = binding('shop/b', [{ service: '*' }], [{ name: 'all' }]);
    const policy = policyOf(...specs, ...quotaRules, rule('again', ['count']), bound);
    expect(dispatcherAt().resolveQuota(policy, bagOf(cart))).toHaveLength(1);
  });
});

describe('sampling', () => {
  const sampled = (sampling: object): MixerPolicy => policyOf(rule('r', ['log'], '', { sampling }));
  const count = (dispatcher: RuleDispatcher, policy: MixerPolicy, bags: readonly AttributeBag[]): number =>
    bags.reduce((sum, bag) => sum + dispatcher.resolveReport(policy, bag).length, 0);
  const bags = (n: number): readonly AttributeBag[] =>
    Array.from({ length: n }, (_, i) => bagOf({ 'request.id': `request-${i}`, 'source.name': `s${i % 10}` }));

  it('draws a share, the same requests each time', () => {
    const policy = sampled({ random: { percentSampled: { numerator: 20 } } });
    const all = bags(5000);
    const first = count(dispatcherAt(), policy, all);
    expect(first / all.length).toBeCloseTo(0.2, 1);
    expect(count(dispatcherAt(), policy, all)).toBe(first);
  });

  it.each([
    [0, 'HUNDRED', 0],
    [100, 'HUNDRED', 1000],
    [10_000, 'TEN_THOUSAND', 1000],
  ])('draws %i of %s', (numerator, denominator, expected) => {
    const policy = sampled({ random: { percentSampled: { numerator, denominator } } });
    expect(count(dispatcherAt(), policy, bags(1000))).toBe(expected);
  });

  it('draws by chance where nothing is known to draw by', () => {
    const policy = sampled({ random: { percentSampled: { numerator: 50 } } });
    const dispatcher = dispatcherAt({ now: 0 }, [0.4, 0.6, 0.49]);
    expect([bagOf({}), bagOf({}), bagOf({})].map((bag) => dispatcher.resolveReport(policy, bag).length)).toEqual([
      1, 0, 1,
    ]);
  });

  it('draws alike for one value', () => {
    const policy = sampled({ random: { attributeExpression: 'source.name', percentSampled: { numerator: 50 } } });
    const bySource = new Map<string, Set<number>>();
    const dispatcher = dispatcherAt();
    for (const bag of bags(200)) {
      const name = textOf(bag.get('source.name') ?? '');
      bySource.set(name, (bySource.get(name) ?? new Set()).add(dispatcher.resolveReport(policy, bag).length));
    }
    for (const results of bySource.values()) expect(results.size).toBe(1);
  });

  it('takes so many in a period, then every so-manieth', () => {
    const policy = sampled({ rateLimit: { samplingDuration: '2s', maxUnsampledEntries: 5, samplingRate: 10 } });
    const clock = { now: 1000 };
    const dispatcher = dispatcherAt(clock);
    expect(count(dispatcher, policy, bags(45))).toBe(5 + 4);
    clock.now += 1999;
    expect(count(dispatcher, policy, bags(4))).toBe(0);
    clock.now += 1;
    expect(count(dispatcher, policy, bags(45))).toBe(5 + 4);
  });

  it('forgets no period when other rules change', () => {
    const sampling = { rateLimit: { samplingDuration: '1m', maxUnsampledEntries: 1 } };
    const dispatcher = dispatcherAt();
    expect(count(dispatcher, sampled(sampling), bags(3))).toBe(1);
    const next = policyOf(rule('r', ['log'], '', { sampling }), rule('bank/other', ['log']));
    expect(count(dispatcher, next, bags(3))).toBe(0);
  });
});

describe('attributes that are made of others', () => {
  it('are known to rules, where the request has them not itself', () => {
    const policy = policyOf(
      mixerObject('handler', 'kube', { compiledAdapter: 'kubernetesenv' }),
      mixerObject('instance', 'kube', {
        compiledTemplate: 'kubernetes',
        attributeBindings: { 'destination.namespace': '$out.destination_namespace | "shop"' },
      }),
      mixerObject('rule', 'kube', { actions: [{ handler: 'kube', instances: ['kube'] }] }),
      rule('shop/own', ['nothing'], 'destination.namespace == "shop"'),
    );
    const dispatcher = dispatcherAt();
    expect(dispatcher.resolveCheck(policy, bagOf({}))).toHaveLength(1);
    expect(dispatcher.resolveCheck(policy, bagOf({ 'destination.namespace': 'bank' }))).toHaveLength(0);
  });
});
