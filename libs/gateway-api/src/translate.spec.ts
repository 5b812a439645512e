import { describe, expect, it } from '@jest/globals';
import type { GatewaySpec, HTTPRoute, VirtualServiceSpec } from '@seine/istio';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { Condition } from './condition.js';
import type { TranslateOptions } from './input.js';
import { translateGatewayApi } from './translate.js';

const options: TranslateOptions = { clusterDomain: 'cluster.local', now: '2026-01-01T00:00:00Z' };
const group = 'gateway.networking.k8s.io';

function an(kind: string, name: string, spec: object, more: object = {}): ConfigObject {
  return { apiVersion: `${group}/v1`, kind, metadata: { name, namespace: 'default', ...more }, spec };
}
function aService(name: string, namespace = 'default', spec: object = {}): ConfigObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'http', port: 80 }], ...spec },
  };
}

const http = { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } };
const shop = (...listeners: object[]) => an('Gateway', 'shop', { gatewayClassName: 'istio', listeners });
const parentRefs = [{ name: 'shop', namespace: 'default' }];
const web = { name: 'web', port: 80 };
const route = (rules: object[], more: object = {}, name = 'all', metadata: object = {}) =>
  an('HTTPRoute', name, { parentRefs, rules, ...more }, metadata);

function derived(...objects: readonly ConfigObject[]): readonly VirtualServiceSpec[] {
  return translateGatewayApi(objects, options)
    .objects.filter(({ kind }) => kind === 'VirtualService')
    .map(({ spec }) => spec as VirtualServiceSpec);
}
/** The rules of the only VirtualService. */
function rulesOf(...objects: readonly ConfigObject[]): readonly HTTPRoute[] {
  const [only, ...others] = derived(shop(http), aService('web'), ...objects);
  expect(others).toEqual([]);
  return only?.http ?? [];
}
interface RouteStatus {
  readonly parents: readonly { readonly conditions: readonly Condition[] }[];
}
/** `type status reason` of the conditions for the first parent. */
function told(object: ConfigObject, ...others: readonly ConfigObject[]): readonly string[] {
  const { statuses } = translateGatewayApi([shop(http), aService('web'), object, ...others], options);
  const [parent] = (statuses.get(objectKey(object)) as RouteStatus).parents;
  return (parent?.conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

describe('who serves a Gateway', () => {
  const sharedGateway = { istio: 'ingressgateway' };
  const servers = (objects: readonly ConfigObject[], more: Partial<TranslateOptions>) =>
    translateGatewayApi(objects, { ...options, ...more }).objects.map(({ metadata, spec }) => ({
      selector: (spec as GatewaySpec).selector,
      service: metadata.annotations?.['internal.istio.io/gateway-service'],
    }));
  const own = { selector: undefined, service: 'shop-istio.default.svc.cluster.local' };

  it.each<[string, readonly ConfigObject[], Partial<TranslateOptions>, object]>([
    ['its own deployment', [shop(http)], {}, own],
    ['its own deployment before a shared gateway', [shop(http), aService('shop-istio')], { sharedGateway }, own],
    ['a shared gateway', [shop(http)], { sharedGateway }, { selector: sharedGateway, service: undefined }],
    [
      'the Service that it names',
      [
        an('Gateway', 'shop', {
          gatewayClassName: 'istio',
          listeners: [http],
          addresses: [{ type: 'Hostname', value: 'edge' }],
        }),
      ],
      { sharedGateway },
      { selector: undefined, service: 'edge.default.svc.cluster.local' },
    ],
  ])('%s', (_, objects, more, expected) => {
    expect(servers(objects, more)).toEqual([expected]);
  });

  it('is nobody of ours, if its class is not', () => {
    const other = an('Gateway', 'shop', { gatewayClassName: 'other', listeners: [http] });
    const { objects, statuses } = translateGatewayApi([other], options);
    expect([objects, statuses.size]).toEqual([[], 0]);
    const waypoint = an('Gateway', 'shop', { gatewayClassName: 'istio-waypoint', listeners: [http] });
    expect(translateGatewayApi([waypoint], options).statuses.size).toBe(0);
  });

  it('tells where a shared gateway is, whatever its namespace', () => {
    const gateway = aService('edge', 'istio-system', { selector: sharedGateway, externalIPs: ['192.0.2.7'] });
    const host = 'edge.istio-system.svc.cluster.local';
    const endpoint = { port: 8080 } as never;
    const endpoints = new Map([[host, { host, byPort: new Map([[80, [endpoint]]]) }]]);
    const { statuses } = translateGatewayApi([shop({ ...http, port: 9999 }), gateway], {
      ...options,
      sharedGateway,
      endpoints,
    });
    expect(statuses.get(objectKey(shop()))).toMatchObject({
      addresses: [{ type: 'IPAddress', value: '192.0.2.7' }],
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'Programmed', status: 'True', message: `Resource programmed, assigned to service(s) ${host}:9999` },
        { type: 'ResolvedRefs', status: 'True' },
      ],
    });
  });
});

describe('the order of rules', () => {
  const matching = (match: object) => ({ matches: [match], backendRefs: [web] });
  const path = (type: string, value: string) => ({ path: { type, value } });
  const header = (name: string) => ({ name, value: 'x' });

  it('is that of the specification, over all routes', () => {
    const first = route([
      matching(path('PathPrefix', '/a')),
      matching(path('RegularExpression', '/a.*')),
      { backendRefs: [web] },
      matching({ ...path('PathPrefix', '/a'), queryParams: [header('q')] }),
    ]);
    const second = route(
      [
        matching({ ...path('PathPrefix', '/a'), headers: [header('a'), header('b')] }),
        matching({ ...path('PathPrefix', '/a'), headers: [header('a')] }),
        matching({ ...path('PathPrefix', '/a'), method: 'GET' }),
        matching(path('Exact', '/a')),
        matching(path('PathPrefix', '/a/b')),
      ],
      {},
      'second',
    );
    expect(rulesOf(first, second).map(({ name }) => name?.replace('default.', ''))).toEqual([
      'second.3', // exact
      'second.4', // longer
      'second.2', // method
      'second.0', // two headers
      'second.1', // one header
      'all.3', // query parameter
      'all.0',
      'all.1', // expression
      'all.2', // everything
    ]);
  });

  it('is that of age, then of namespace and name, where rules are equal', () => {
    const rule = [matching(path('PathPrefix', '/a'))];
    const old = { creationTimestamp: '2025-01-01T00:00:00Z' };
    const young = { creationTimestamp: '2026-01-01T00:00:00Z' };
    const names = rulesOf(route(rule, {}, 'young', young), route(rule, {}, 'b', old), route(rule, {}, 'a', old)).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['default.a.0', 'default.b.0', 'default.young.0']);
  });
});

describe('rules', () => {
  it.each<[string, object, object]>([
    ['a timeout', { timeouts: { request: '5s' } }, { timeout: '5s' }],
    ['no timeout', { timeouts: { request: '0s' } }, {}],
    ['one of the backend', { timeouts: { request: '5s', backendRequest: '1s' } }, { timeout: '1s' }],
    [
      'one of each try',
      { timeouts: { request: '5s', backendRequest: '1s' }, retry: { codes: [500, 503], backoff: '10ms' } },
      {
        timeout: '5s',
        retries: {
          attempts: 2,
          retryOn: 'connect-failure,refused-stream,unavailable,cancelled,500,503',
          backoff: '10ms',
          perTryTimeout: '1s',
        },
      },
    ],
    ['no retries', { retry: { attempts: 0 } }, { retries: { attempts: 0 } }],
  ])('with %s', (_, fields, expected) => {
    expect(rulesOf(route([{ ...fields, backendRefs: [web] }]))).toEqual([
      {
        name: 'default.all.0',
        route: [{ destination: { host: 'web.default.svc.cluster.local', port: { number: 80 } } }],
        ...expected,
      },
    ]);
  });

  it('have the name that is given, and one route a match', () => {
    const matches = [{ path: { value: '/a' } }, { path: { value: '/b/' } }];
    expect(rulesOf(route([{ name: 'mine', matches, backendRefs: [web] }]))).toMatchObject([
      { name: 'mine', match: [{ uri: { prefix: '/a' } }] },
      { name: 'mine', match: [{ uri: { prefix: '/b' } }] },
    ]);
  });

  it('of which one cannot be followed leave the others in force', () => {
    const bad = {
      filters: [{ type: 'ExtensionRef', extensionRef: { group: 'a', kind: 'B', name: 'c' } }],
      backendRefs: [web],
    };
    const both = route([bad, { backendRefs: [web] }]);
    expect(rulesOf(both)).toMatchObject([{ directResponse: { status: 500 } }, { route: [{}] }]);
    expect(told(both)).toEqual([
      'Accepted True Accepted',
      'PartiallyInvalid True UnsupportedValue',
      'ResolvedRefs False InvalidFilter',
    ]);
    expect(told(route([bad]))).toEqual(['Accepted True Accepted', 'ResolvedRefs False InvalidFilter']);
  });
});

describe('filters', () => {
  const of = (filter: object): HTTPRoute | undefined => rulesOf(route([{ filters: [filter], backendRefs: [web] }]))[0];

  it.each<[string, object, object]>([
    ['a redirect keeps the port', {}, { redirectCode: 302, derivePort: 'FROM_REQUEST_PORT' }],
    [
      'but not with a scheme',
      { scheme: 'https', statusCode: 308 },
      { redirectCode: 308, scheme: 'https', derivePort: 'FROM_PROTOCOL_DEFAULT' },
    ],
    ['or with a port', { port: 8443, hostname: 'a.com' }, { redirectCode: 302, authority: 'a.com', port: 8443 }],
    [
      'a path',
      { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' }, port: 1 },
      { redirectCode: 302, port: 1, uri: '/x' },
    ],
  ])('%s', (_, requestRedirect, expected) => {
    const filters = [{ type: 'RequestRedirect', requestRedirect }];
    expect(rulesOf(route([{ filters }]))).toEqual([{ name: 'default.all.0', redirect: expected }]);
  });

  it.each<[object, object]>([
    [{ allowOrigins: ['*'] }, { allowOrigins: [{ regex: '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+$' }], maxAge: '5s' }],
    [
      { allowOrigins: ['https://a.com', 'https://b.*'] },
      { allowOrigins: [{ exact: 'https://a.com' }, { prefix: 'https://b.' }], maxAge: '5s' },
    ],
    [
      { allowOrigins: ['https://*.a.com'], maxAge: 60 },
      { allowOrigins: [{ regex: '^https://.*\\.a\\.com$' }], maxAge: '60s' },
    ],
    [
      { allowCredentials: true, exposeHeaders: ['X'] },
      { allowCredentials: true, exposeHeaders: ['X'], maxAge: '5s' },
    ],
  ])('CORS of %j', (cors, expected) => {
    expect(of({ type: 'CORS', cors })?.corsPolicy).toEqual({ ...expected, unmatchedPreflights: 'IGNORE' });
  });

  it.each<[object, number | undefined]>([
    [{}, undefined],
    [{ percent: 42 }, 42],
    [{ fraction: { numerator: 5, denominator: 1000 } }, 0.5],
    [{ fraction: { numerator: 7 } }, 7],
  ])('a mirror of %j', (share, value) => {
    const mirror = of({ type: 'RequestMirror', requestMirror: { backendRef: web, ...share } })?.mirrors?.[0];
    expect(mirror?.percentage?.value).toBe(value);
  });

  it('of a header count once, by its name in small letters', () => {
    const set = [
      { name: 'X-A', value: '1' },
      { name: 'x-a', value: '2' },
    ];
    expect(of({ type: 'RequestHeaderModifier', requestHeaderModifier: { set, remove: ['B'] } })?.headers).toEqual({
      request: { set: { 'x-a': '1' }, remove: ['B'] },
    });
  });
});

describe('attaching', () => {
  it.each<[string, object, string]>([
    ['to a listener', {}, 'Accepted True Accepted'],
    ['to a port that is not there', { port: 81 }, 'Accepted False NoMatchingParent'],
    ['to a listener that is not there', { sectionName: 'lost' }, 'Accepted False NoMatchingParent'],
  ])('%s', (_, ref, expected) => {
    const object = an('HTTPRoute', 'all', {
      parentRefs: [{ ...parentRefs[0], ...ref }],
      rules: [{ backendRefs: [web] }],
    });
    expect(told(object)[0]).toBe(expected);
  });

  it('needs a host in common, a namespace that is let in, and the right kind', () => {
    const restricted = shop(
      { ...http, hostname: '*.example.com' },
      { ...http, name: 'own', hostname: 'own.net', allowedRoutes: {} },
    );
    const first = (object: ConfigObject) => {
      const { statuses } = translateGatewayApi([restricted, object], options);
      return (statuses.get(objectKey(object)) as RouteStatus).parents[0]?.conditions[0];
    };
    const foreign = { namespace: 'other' };
    expect(first(route([], { hostnames: ['a.net'] }))?.reason).toBe('NoMatchingListenerHostname');
    expect(first(route([], { hostnames: ['own.net'] }, 'x', foreign))?.reason).toBe('NotAllowedByListeners');
    expect(first(an('TCPRoute', 'x', { parentRefs, rules: [{}] }))?.message).toContain('TCPRoute is not allowed');
  });

  it('counts', () => {
    const { statuses } = translateGatewayApi(
      [
        shop(http, { ...http, name: 'two', port: 81 }),
        route([]),
        route([], { parentRefs: [{ name: 'shop', sectionName: 'two' }] }, 'second'),
      ],
      options,
    );
    const { listeners } = statuses.get(objectKey(shop())) as { listeners: { name: string; attachedRoutes: number }[] };
    expect(listeners.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
      ['http', 1],
      ['two', 2],
    ]);
  });
});

describe('inside the mesh', () => {
  const inMesh = (ref: object, namespace = 'default', name = 'in-mesh') =>
    an(
      'HTTPRoute',
      name,
      {
        parentRefs: [{ group: '', kind: 'Service', ...ref }],
        rules: [{ backendRefs: [{ ...web, namespace: 'default' }] }],
      },
      { namespace },
    );
  const virtualServices = (...objects: readonly ConfigObject[]) => derived(aService('web'), ...objects);

  it('the Service’s own namespace speaks for all, others for themselves', () => {
    expect(virtualServices(inMesh({ name: 'web' }))).toMatchObject([
      { hosts: ['web.default.svc.cluster.local'], gateways: ['mesh'] },
    ]);
    expect(virtualServices(inMesh({ name: 'web' }))[0]).not.toHaveProperty('exportTo');
    expect(virtualServices(inMesh({ name: 'web', namespace: 'default' }, 'team'))).toMatchObject([{ exportTo: ['.'] }]);
  });

  it('rules for one port go before those for all', () => {
    const [only] = virtualServices(
      inMesh({ name: 'web' }, 'default', 'a'),
      inMesh({ name: 'web', port: 80 }, 'default', 'b'),
    );
    expect(only?.http?.map(({ name, match }) => [name, match?.[0]?.port])).toEqual([
      ['default.b.0', 80],
      ['default.a.0', undefined],
    ]);
  });

  it('hosts of a ServiceEntry are meant by its name', () => {
    const entry: ConfigObject = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'out', namespace: 'default' },
      spec: { hosts: ['a.com', 'b.com'] },
    };
    const tcp = an('TCPRoute', 'tcp', {
      parentRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name: 'out', port: 5432 }],
      rules: [{ backendRefs: [web] }],
    });
    expect(virtualServices(entry, tcp)).toMatchObject([
      { hosts: ['a.com'], tcp: [{ match: [{ port: 5432 }] }] },
      { hosts: ['b.com'], tcp: [{ match: [{ port: 5432 }] }] },
    ]);
  });
});

describe('statuses', () => {
  it('tell the generation that they are about, and since when', () => {
    const before: Condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Old',
      message: '',
      lastTransitionTime: '2020-01-01T00:00:00Z',
    };
    const object = {
      ...route([{ backendRefs: [{ name: 'lost', port: 80 }] }], {}, 'all', { generation: 7 }),
      status: {
        parents: [{ parentRef: parentRefs[0], controllerName: 'istio.io/gateway-controller', conditions: [before] }],
      },
    };
    const { statuses } = translateGatewayApi([shop(http), object], options);
    expect((statuses.get(objectKey(object)) as RouteStatus).parents[0]?.conditions).toMatchObject([
      { type: 'Accepted', observedGeneration: 7, lastTransitionTime: '2020-01-01T00:00:00Z', reason: 'Accepted' },
      { type: 'ResolvedRefs', observedGeneration: 7, lastTransitionTime: options.now, status: 'False' },
    ]);
  });
});
