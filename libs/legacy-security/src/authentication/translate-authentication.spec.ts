import { describe, expect, it } from '@jest/globals';
import { derived, old, said, service, translate } from '../testing/objects.js';

const mtls = (mode?: string): object => ({ peers: [{ mtls: mode ? { mode } : {} }] });
const jwt = (more: object = {}, issuer = 'me'): object => ({ origins: [{ jwt: { issuer, ...more } }] });
const to = (...targets: readonly (object | string)[]): object => ({
  targets: targets.map((target) => (typeof target === 'string' ? { name: target } : target)),
});
const cart = { matchLabels: { app: 'cart' } };
const noToken = [{ source: { notRequestPrincipals: ['*'] } }];
const tokens = (issuer = 'me') => ({ jwtRules: [{ issuer, forwardOriginalToken: true }] });

describe('what is asked of callers', () => {
  it.each<readonly [what: string, spec: object, mode: string]>([
    ['mutual TLS', mtls(), 'STRICT'],
    ['mutual TLS by name', mtls('STRICT'), 'STRICT'],
    ['mutual TLS or plain text', mtls('PERMISSIVE'), 'PERMISSIVE'],
    ['TLS with or without a certificate', { peers: [{ mtls: { allowTls: true } }] }, 'PERMISSIVE'],
    ['a proof that may be missing', { ...mtls(), peerIsOptional: true }, 'PERMISSIVE'],
  ])('%s', (_, spec, mode) => {
    expect(derived(old('MeshPolicy', 'default', spec))).toEqual({
      'PeerAuthentication/istio-system/default': { mtls: { mode } },
    });
    expect(derived(old('Policy', 'default', spec))).toEqual({
      'PeerAuthentication/shop/default': { mtls: { mode } },
    });
  });

  it('of a service, goes to the workloads that it selects', () => {
    expect(derived(service('cart'), old('Policy', 'p', { ...to('cart'), ...mtls() }))).toEqual({
      'PeerAuthentication/shop/p-cart': { selector: cart, mtls: { mode: 'STRICT' } },
    });
  });

  it('of ports of a service, by number and by name, goes to the ports of the workloads, in one object', () => {
    const objects = [
      service('cart', ['http:80:8080', 'grpc:7070', 'http-admin:90:admin']),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'cart', namespace: 'shop' },
        spec: {
          template: {
            metadata: { labels: { app: 'cart' } },
            spec: { containers: [{ ports: [{ name: 'admin', containerPort: 9000 }] }] },
          },
        },
      },
      old('Policy', 'a', { ...to({ name: 'cart', ports: [{ number: 80 }, { number: 90 }] }), ...mtls() }),
      old('Policy', 'b', { ...to({ name: 'cart', ports: [{ name: 'grpc' }] }), ...mtls('PERMISSIVE') }),
    ];
    expect(derived(...objects)).toEqual({
      'PeerAuthentication/shop/a-cart': {
        selector: cart,
        portLevelMtls: { 7070: { mode: 'PERMISSIVE' }, 8080: { mode: 'STRICT' }, 9000: { mode: 'STRICT' } },
      },
    });
  });

  it('by nothing, is said only where another old policy would ask for more', () => {
    const open = old('Policy', 'open', to('cart'));
    expect(derived(service('cart'), open)).toEqual({});
    expect(derived(service('cart'), open, old('MeshPolicy', 'default', mtls()))).toEqual({
      'PeerAuthentication/istio-system/default': { mtls: { mode: 'STRICT' } },
      'PeerAuthentication/shop/open-cart': { selector: cart, mtls: { mode: 'PERMISSIVE' } },
    });
  });

  it('in the root namespace, stays in it', () => {
    const root = { namespace: 'istio-system' };
    expect(derived(service('gate', ['http:80'], root), old('Policy', 'default', mtls(), root))).toEqual({
      'PeerAuthentication/istio-system/default-gate': {
        selector: { matchLabels: { app: 'gate' } },
        mtls: { mode: 'STRICT' },
      },
    });
  });

  it('of the older of two policies counts', () => {
    const one = old('Policy', 'one', { ...to('cart'), ...mtls() }, { creationTimestamp: '2020-01-02T00:00:00Z' });
    const two = old('Policy', 'two', { ...to('cart') }, { creationTimestamp: '2020-01-01T00:00:00Z' });
    expect(derived(service('cart'), one, two)).toEqual({});
    expect(said(service('cart'), one, two)).toEqual([
      'warning SEINE-LEGACY-SECURITY Policy shop/one spec.targets[0]: Policy two is for Service cart already and is older; it stays in force.',
    ]);
  });
});

describe('what is asked of end users', () => {
  it('becomes the tokens that are accepted, and a rule that they must be there', () => {
    const objects = [
      service('cart'),
      old('Policy', 'auth', { ...to('cart'), ...jwt(), principalBinding: 'USE_ORIGIN' }),
    ];
    expect(derived(...objects)).toEqual({
      'RequestAuthentication/shop/auth-cart': { selector: cart, ...tokens() },
      'AuthorizationPolicy/shop/auth-cart': { selector: cart, action: 'DENY', rules: [{ from: noToken }] },
    });
    const [asked] = translate(...objects).objects;
    expect(asked?.metadata.annotations).toEqual({
      'internal.istio.io/parents': 'Policy/auth.shop',
      'internal.istio.io/required-tokens': '{"paths":[],"notPaths":[]}',
    });
  });

  it('may be missing where it is optional', () => {
    expect(derived(old('Policy', 'default', { ...jwt(), originIsOptional: true }))).toEqual({
      'RequestAuthentication/shop/default': tokens(),
    });
  });

  it('keeps every field', () => {
    const fields = { audiences: ['a'], jwksUri: 'https://me/keys', jwtHeaders: ['x-jwt'], jwtParams: ['token'] };
    const all = derived(old('MeshPolicy', 'default', jwt(fields)));
    expect(all['RequestAuthentication/istio-system/default']).toEqual({
      jwtRules: [
        {
          issuer: 'me',
          audiences: ['a'],
          jwksUri: 'https://me/keys',
          fromHeaders: [{ name: 'x-jwt' }],
          fromParams: ['token'],
          forwardOriginalToken: true,
        },
      ],
    });
  });

  const triggered = (...triggerRules: readonly object[]) =>
    derived(old('Policy', 'default', jwt({ triggerRules })))['AuthorizationPolicy/shop/default'];

  it('is asked on the paths of the trigger rules', () => {
    expect(
      triggered(
        { includedPaths: [{ prefix: '/admin' }, { exact: '/a' }], excludedPaths: [{ suffix: '.css' }] },
        { includedPaths: [{ prefix: '/b' }] },
      ),
    ).toEqual({
      action: 'DENY',
      rules: [
        { from: noToken, to: [{ operation: { paths: ['/admin*', '/a'], notPaths: ['*.css'] } }] },
        { from: noToken, to: [{ operation: { paths: ['/b*'] } }] },
      ],
    });
  });

  it('is asked for more where a path is an expression, and that is said', () => {
    const triggerRules = [{ includedPaths: [{ prefix: '/a' }, { regex: '/b.*' }], excludedPaths: [{ regex: '/c' }] }];
    expect(triggered(...triggerRules)).toEqual({ action: 'DENY', rules: [{ from: noToken }] });
    expect(said(old('Policy', 'default', jwt({ triggerRules })))).toEqual([
      'warning SEINE-LEGACY-SECURITY Policy shop/default spec.origins[0].jwt.triggerRules[0].includedPaths[1].regex: AuthorizationPolicies have no expressions for paths: the token is asked for on all paths. Use exact, prefix or suffix.',
      'warning SEINE-LEGACY-SECURITY Policy shop/default spec.origins[0].jwt.triggerRules[0].excludedPaths[0].regex: AuthorizationPolicies have no expressions for paths: the token is asked for on these paths too. Use exact, prefix or suffix.',
    ]);
  });

  it('may come from several issuers, each on its own paths', () => {
    const both = {
      origins: [
        { jwt: { issuer: 'a', triggerRules: [{ includedPaths: [{ exact: '/a' }] }] } },
        { jwt: { issuer: 'b', triggerRules: [{ includedPaths: [{ exact: '/b' }] }] } },
      ],
    };
    expect(derived(old('Policy', 'default', both))['AuthorizationPolicy/shop/default']).toEqual({
      action: 'DENY',
      rules: ['a', 'b'].map((name) => ({
        from: [{ source: { notRequestPrincipals: [`${name}/*`] } }],
        to: [{ operation: { paths: [`/${name}`] } }],
      })),
    });
    expect(said(old('Policy', 'default', both))).toHaveLength(1);
  });

  it('of ports is asked there alone; other tokens do not help', () => {
    const objects = [
      service('cart', ['http:80:8080', 'http-b:81:8081']),
      old('Policy', 'all', { ...to('cart'), ...jwt() }),
      old('Policy', 'one', { ...to({ name: 'cart', ports: [{ number: 81 }] }), ...jwt({}, 'you') }),
    ];
    const rule = (issuer: string, operation: object) => ({
      selector: cart,
      action: 'DENY',
      rules: [{ from: [{ source: { notRequestPrincipals: [`${issuer}/*`] } }], to: [{ operation }] }],
    });
    expect(derived(...objects)).toEqual({
      'RequestAuthentication/shop/all-cart': { selector: cart, ...tokens() },
      'RequestAuthentication/shop/one-cart': { selector: cart, ...tokens('you') },
      'AuthorizationPolicy/shop/all-cart': rule('me', { notPorts: ['8081'] }),
      'AuthorizationPolicy/shop/one-cart': rule('you', { ports: ['8081'] }),
    });
  });

  it('of a namespace is not asked of services that have a policy of their own', () => {
    const objects = [
      service('cart'),
      service('web'),
      old('Policy', 'default', jwt()),
      old('Policy', 'open', to('cart')),
    ];
    expect(Object.keys(derived(...objects))).toEqual([
      'RequestAuthentication/shop/default-web',
      'AuthorizationPolicy/shop/default-web',
    ]);
  });

  it('of the mesh is not asked of namespaces that have a policy of their own', () => {
    const objects = [
      service('cart'),
      service('bank', ['http:80'], { namespace: 'bank' }),
      old('MeshPolicy', 'default', jwt()),
      old('Policy', 'default', {}),
    ];
    expect(Object.keys(derived(...objects))).toEqual([
      'RequestAuthentication/bank/default',
      'AuthorizationPolicy/bank/default',
    ]);
  });

  it('is not asked of connections that carry no requests', () => {
    const objects = [
      service('db', ['mongo:27017']),
      service('cart', ['http:80', 'tcp:90']),
      old('Policy', 'default', jwt()),
    ];
    expect(derived(...objects)).toEqual({
      'RequestAuthentication/shop/default-cart': { selector: cart, ...tokens() },
      'AuthorizationPolicy/shop/default-cart': {
        selector: cart,
        action: 'DENY',
        rules: [{ from: noToken, to: [{ operation: { notPorts: ['90'] } }] }],
      },
    });
  });
});

describe('what is not there', () => {
  it.each<readonly [what: string, target: object, path: string, text: RegExp]>([
    ['a service', { name: 'nope' }, 'spec.targets[0].name', /Service shop\/nope is not there/],
    ['a port', { name: 'cart', ports: [{ number: 1 }] }, 'spec.targets[0].ports[0]', /has no port 1; it is left out/],
    ['a port name', { name: 'cart', ports: [{ name: 'x' }] }, 'spec.targets[0].ports[0]', /has no port x/],
  ])('%s', (_, target, path, text) => {
    const policy = old('Policy', 'p', { ...to(target), ...mtls() });
    const [first] = translate(service('cart'), policy).diagnostics;
    expect(first).toMatchObject({ path, message: expect.stringMatching(text) });
    expect(derived(service('cart'), policy)).toEqual({});
  });

  it('a port’s number: what is asked for is asked for on all ports', () => {
    const policy = old('Policy', 'p', { ...to({ name: 'cart', ports: [{ number: 80 }] }), ...mtls() });
    expect(derived(service('cart', ['http:80:web']), policy)).toEqual({
      'PeerAuthentication/shop/p-cart': { selector: cart, mtls: { mode: 'STRICT' } },
    });
    expect(said(service('cart', ['http:80:web']), policy)).toHaveLength(1);
  });
});

it('gives way to names of users', () => {
  const own = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'default', namespace: 'shop' },
    spec: {},
  };
  expect(Object.keys(derived(own, old('Policy', 'default', mtls())))).toEqual(['PeerAuthentication/shop/default~1']);
});
