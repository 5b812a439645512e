import { describe, expect, it } from '@jest/globals';
import type { AuthorizationPolicySpec } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { derived, old, said, service, translate } from '../testing/objects.js';

const config = (spec: object) => old('ClusterRbacConfig', 'default', spec);
const on = config({ mode: 'ON_WITH_INCLUSION', inclusion: { namespaces: ['shop'] } });
const role = (...rules: readonly object[]) => old('ServiceRole', 'viewer', { rules });
const binding = (subjects: readonly object[], more: object = {}, name = 'all') =>
  old('ServiceRoleBinding', name, { subjects, roleRef: { kind: 'ServiceRole', name: 'viewer' }, ...more });
const everybody = binding([{ user: '*' }]);
const cart = { matchLabels: { app: 'cart' } };

/** The rules of the policy for the first service of the first rule. */
function rulesOf(rule: object, ...subjects: readonly object[]): AuthorizationPolicySpec['rules'] {
  const all = derived(on, service('cart'), role({ services: ['cart'], ...rule }), binding(subjects));
  return (all['AuthorizationPolicy/shop/service-cart-rule0-target0'] as AuthorizationPolicySpec | undefined)?.rules;
}

describe('where roles decide', () => {
  const names = (...objects: readonly ConfigObject[]) => Object.keys(derived(...objects));
  const viewer = [service('cart'), role({ services: ['*'] }), everybody] as const;

  it('nowhere without settings, and where they are off', () => {
    expect(derived(...viewer)).toEqual({});
    expect(derived(...viewer, config({ mode: 'OFF' }))).toEqual({});
  });

  it('everywhere', () => {
    expect(derived(...viewer, config({ mode: 'ON' }))).toEqual({
      'AuthorizationPolicy/istio-system/global-deny-all': {},
      'AuthorizationPolicy/shop/service-wildcard-rule0-target0': { selector: { matchLabels: {} }, rules: [{}] },
    });
  });

  it('in some namespaces', () => {
    const inBank = config({ mode: 'ON_WITH_INCLUSION', inclusion: { namespaces: ['bank'] } });
    // A role where none decides must not make its service refuse all others.
    expect(names(...viewer, inBank)).toEqual(['AuthorizationPolicy/bank/bank-deny-all']);
  });

  it('for some services: a role for all is for those', () => {
    const some = config({ mode: 'ON_WITH_INCLUSION', inclusion: { services: ['cart.shop.svc.cluster.local'] } });
    expect(derived(...viewer, service('web'), some)).toEqual({
      'AuthorizationPolicy/shop/service-cart-deny-all': { selector: cart },
      'AuthorizationPolicy/shop/service-wildcard-rule0-target0': { selector: cart, rules: [{}] },
    });
  });

  it('but not for some services', () => {
    const but = config({ mode: 'ON_WITH_EXCLUSION', exclusion: { services: ['cart.shop.svc.cluster.local'] } });
    expect(derived(...viewer, service('web'), but)).toEqual({
      'AuthorizationPolicy/istio-system/global-deny-all': {},
      'AuthorizationPolicy/shop/service-cart-allow-all': { selector: cart, rules: [{}] },
      'AuthorizationPolicy/shop/service-wildcard-rule0-target0': {
        selector: { matchLabels: { app: 'web' } },
        rules: [{}],
      },
    });
  });

  it('in the root namespace for its own services: its policies are for the whole mesh', () => {
    const pilot = service('pilot', ['http:80'], { namespace: 'istio-system' });
    const selector = { matchLabels: { app: 'pilot' } };
    const root = { namespaces: ['istio-system'] };
    const rootRole = old('ServiceRole', 'viewer', { rules: [{ services: ['*'] }] }, { namespace: 'istio-system' });
    const bound = { ...everybody, metadata: { ...everybody.metadata, namespace: 'istio-system' } };
    const named = (name: string) => `AuthorizationPolicy/istio-system/service-${name}`;
    expect(derived(pilot, rootRole, bound, config({ mode: 'ON_WITH_INCLUSION', inclusion: root }))).toEqual({
      [named('pilot-deny-all')]: { selector },
      [named('wildcard-rule0-target0')]: { selector, rules: [{}] },
    });
    expect(derived(pilot, rootRole, bound, config({ mode: 'ON_WITH_EXCLUSION', exclusion: root }))).toEqual({
      'AuthorizationPolicy/istio-system/global-deny-all': {},
      [named('pilot-allow-all')]: { selector, rules: [{}] },
    });
  });

  it('never at gateways, unless a policy of today decides there', () => {
    const gateway = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'gw', namespace: 'shop' },
      spec: { selector: { istio: 'ingress' } },
    };
    const own = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'own', namespace: 'istio-system' },
      spec: { selector: { matchLabels: { istio: 'ingress' } }, rules: [{}] },
    };
    const allow = 'AuthorizationPolicy/istio-system/gateway-ingress-allow-all';
    expect(derived(gateway, config({ mode: 'ON' }))[allow]).toEqual({
      selector: { matchLabels: { istio: 'ingress' } },
      rules: [{}],
    });
    expect(derived(gateway, config({ mode: 'ON' }), own)[allow]).toBeUndefined();
  });

  it('by the settings of the mesh before those of a namespace', () => {
    const old1 = old('RbacConfig', 'default', { mode: 'ON' });
    expect(names(old1)).toEqual(['AuthorizationPolicy/istio-system/global-deny-all']);
    expect(names(old1, config({ mode: 'OFF' }))).toEqual([]);
    expect(said(old1, config({ mode: 'OFF' }))).toEqual([
      'warning SEINE-LEGACY-SECURITY RbacConfig shop/default spec: ClusterRbacConfig default is in force in its place: there is one for the mesh.',
    ]);
  });

  it('only for the log', () => {
    const dry = (...objects: readonly ConfigObject[]) =>
      translate(...objects).objects.map(({ metadata }) => [metadata.name, metadata.annotations?.['istio.io/dry-run']]);
    expect(dry(...viewer, config({ mode: 'ON', enforcementMode: 'PERMISSIVE' }))).toEqual([
      ['global-deny-all', 'true'],
      ['service-wildcard-rule0-target0', 'true'],
    ]);
    const shadow = binding([{ user: 'me' }], { mode: 'PERMISSIVE' }, 'shadow');
    expect(dry(...viewer, config({ mode: 'ON' }), shadow)).toEqual([
      ['global-deny-all', undefined],
      ['service-wildcard-rule0-target0', undefined],
      ['service-wildcard-rule0-target0-permissive', 'true'],
    ]);
  });
});

describe('whose workloads a rule is for', () => {
  const targets = (rule: object, ...more: readonly ConfigObject[]) =>
    Object.entries(derived(on, service('cart'), service('card'), role(rule), everybody, ...more)).flatMap(
      ([name, spec]) => (name.includes('rule') ? [(spec as AuthorizationPolicySpec).selector?.matchLabels] : []),
    );

  it.each<readonly [services: readonly string[], ...apps: string[]]>([
    [['cart'], 'cart'],
    [['cart.shop'], 'cart'],
    [['cart.shop.svc.cluster.local'], 'cart'],
    [['cart.bank.svc.cluster.local']],
    [['car*'], 'card', 'cart'],
    [['*t'], 'cart'],
    [['*.shop.svc.cluster.local'], 'card', 'cart'],
    [['cart', 'card'], 'cart', 'card'],
  ])('%s', (services, ...apps) => {
    expect(targets({ services })).toEqual(apps.map((app) => ({ app })));
  });

  it('says which service is not there', () => {
    expect(said(on, role({ services: ['nope'] }), everybody)).toEqual([
      'warning SEINE-LEGACY-SECURITY ServiceRole shop/viewer spec.rules[0].services[0]: There is no Service nope in namespace shop.',
    ]);
  });

  it('by labels too, in every combination', () => {
    const constraints = [
      { key: 'destination.labels[env]', values: ['a', 'b'] },
      { key: 'destination.labels[app]', values: ['cart'] },
    ];
    expect(targets({ services: ['*'], constraints })).toEqual([
      { app: 'cart', env: 'a' },
      { app: 'cart', env: 'b' },
    ]);
  });

  it('by name and namespace', () => {
    const named = (key: string, value: string) => targets({ services: ['*'], constraints: [{ key, values: [value] }] });
    expect(named('destination.name', '*d')).toEqual([{ app: 'card' }]);
    expect(named('destination.namespace', 'bank')).toEqual([]);
  });

  it('not by a part of a label', () => {
    const rule = { services: ['cart'], constraints: [{ key: 'destination.labels[v]', values: ['1*'] }] };
    expect(targets(rule)).toEqual([]);
    expect(said(on, service('cart'), role(rule), everybody)).toHaveLength(1);
  });
});

describe('what a rule allows', () => {
  it('every field', () => {
    const fields = {
      hosts: ['h'],
      notHosts: ['nh'],
      paths: ['/p*'],
      notPaths: ['/np'],
      methods: ['GET'],
      notMethods: ['PUT'],
    };
    const constraints = [
      { key: 'request.headers[x-id]', values: ['1', '2'] },
      { key: 'destination.port', values: ['80'] },
      { key: 'experimental.envoy.filters.network.mysql_proxy[db.table]', values: ['add'] },
    ];
    expect(rulesOf({ ...fields, ports: [80], notPorts: [90], constraints }, { user: 'me' })).toEqual([
      {
        from: [{ source: { principals: ['me'] } }],
        to: [{ operation: { ...fields, ports: ['80'], notPorts: ['90'] } }],
        when: constraints,
      },
    ]);
  });

  it('nothing where it asks what cannot be asked', () => {
    const rule = { services: ['cart'], constraints: [{ key: 'version', values: ['v1'] }] };
    expect(Object.keys(derived(on, service('cart'), role(rule), everybody))).toEqual([
      'AuthorizationPolicy/shop/shop-deny-all',
    ]);
    expect(translate(on, service('cart'), role(rule), everybody).diagnostics).toMatchObject([
      { path: 'spec.rules[0].constraints[0].key', message: expect.stringContaining('the rule allows nothing') },
    ]);
  });
});

describe('whom it allows', () => {
  const source = (fields: object) => [{ from: [{ source: fields }] }];
  it.each<readonly [what: string, subject: object, rules: unknown]>([
    ['everybody', { user: '*' }, [{}]],
    ['everybody by name', { names: ['allUsers', 'me'] }, [{}]],
    ['everybody with an identity', { names: ['allAuthenticatedUsers'] }, source({ principals: ['*'] })],
    ['an identity', { user: 'a' }, source({ principals: ['a'] })],
    ['nobody', { user: 'a', notNames: ['allUsers'] }, undefined],
    [
      'lists',
      {
        names: ['a'],
        notNames: ['b'],
        namespaces: ['c'],
        notNamespaces: ['d'],
        ips: ['1.1.1.1'],
        notIps: ['2.0.0.0/8'],
      },
      source({
        principals: ['a'],
        notPrincipals: ['b'],
        namespaces: ['c'],
        notNamespaces: ['d'],
        ipBlocks: ['1.1.1.1'],
        notIpBlocks: ['2.0.0.0/8'],
      }),
    ],
    [
      'properties',
      {
        properties: {
          'source.ip': '10.0.0.0/8',
          'source.namespace': 'n',
          'source.principal': '*',
          'request.auth.principal': 'i/s',
        },
      },
      source({ ipBlocks: ['10.0.0.0/8'], namespaces: ['n'], principals: ['*'], requestPrincipals: ['i/s'] }),
    ],
    [
      'what must hold beside',
      { user: 'a', names: ['b'], group: 'g', notGroups: ['h'], properties: { 'request.headers[x]': '*' } },
      [
        {
          from: [{ source: { principals: ['a'] } }],
          when: [
            { key: 'source.principal', values: ['b'] },
            { key: 'request.auth.claims[groups]', values: ['g'] },
            { key: 'request.auth.claims[groups]', notValues: ['h'] },
            { key: 'request.headers[x]', values: ['*'] },
          ],
        },
      ],
    ],
    ['who cannot be said', { user: 'a', properties: { service: 'reviews' } }, undefined],
  ])('%s', (_, subject, rules) => {
    expect(rulesOf({}, subject)).toEqual(rules);
  });

  it('all subjects of all bindings in one rule, those with conditions in one of their own', () => {
    const objects = [
      on,
      service('cart'),
      role({ services: ['cart'], methods: ['GET'] }),
      binding([{ user: 'a' }, { group: 'g' }], {}, 'x'),
      binding([{ user: 'b' }], {}, 'y'),
    ];
    const to = [{ operation: { methods: ['GET'] } }];
    expect(derived(...objects)['AuthorizationPolicy/shop/service-cart-rule0-target0']).toEqual({
      selector: cart,
      rules: [
        { from: [{ source: { principals: ['a'] } }, { source: { principals: ['b'] } }], to },
        { to, when: [{ key: 'request.auth.claims[groups]', values: ['g'] }] },
      ],
    });
  });

  it('says which property and which role is not known', () => {
    const objects = [
      on,
      old('ServiceRoleBinding', 'b', { subjects: [], roleRef: { kind: 'ServiceRole', name: 'nope' } }),
    ];
    expect(said(...objects)).toEqual([
      'warning SEINE-LEGACY-SECURITY ServiceRoleBinding shop/b spec.roleRef.name: There is no ServiceRole nope in namespace shop.',
    ]);
    const subject = { properties: { service: 'reviews' } };
    expect(translate(on, service('cart'), role({ services: ['cart'] }), binding([subject])).diagnostics).toMatchObject([
      { path: 'spec.subjects[0].properties.service' },
    ]);
  });
});

it('gives two roles for one service two policies', () => {
  const second = old('ServiceRole', 'writer', { rules: [{ services: ['cart'] }] });
  const bound = old('ServiceRoleBinding', 'b', {
    subjects: [{ user: 'x' }],
    roleRef: { kind: 'ServiceRole', name: 'writer' },
  });
  expect(Object.keys(derived(on, service('cart'), role({ services: ['cart'] }), everybody, second, bound))).toEqual([
    'AuthorizationPolicy/shop/shop-deny-all',
    'AuthorizationPolicy/shop/service-cart-rule0-target0',
    'AuthorizationPolicy/shop/service-cart-rule0-target0~1',
  ]);
});
