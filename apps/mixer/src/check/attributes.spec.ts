import { describe, expect, it } from '@jest/globals';
import { normalizeObject } from '@seine/istio';
import { compilePolicy, mixerVocabulary, type PolicyObjects, type Value } from '@seine/mixer';
import { CheckBag } from './attributes.js';
import { CheckMessage } from './check-message.js';
import { type Asked, checkRequest } from './check-request.fixture.js';
import type { Ends } from './ends.js';

const ends: Ends = {
  reporter: 'inbound',
  source: new Map<string, Value>([
    ['source.uid', 'kubernetes://reviews-v3.default'],
    ['source.principal', 'cluster.local/ns/default/sa/reviews'],
    ['source.labels', new Map([['version', 'v3']])],
  ]),
  destination: new Map<string, Value>([
    ['destination.uid', 'kubernetes://ratings-v1.default'],
    ['destination.service.host', 'ratings.default.svc.cluster.local'],
  ]),
};
const bagOf = (asked: Asked = {}, objects: PolicyObjects = []): CheckBag =>
  new CheckBag(new CheckMessage(checkRequest(asked)), ends, compilePolicy(objects));

const http = {
  method: 'GET',
  path: '/api/v1/products?id=7&id=8&name=a%20b&flag',
  host: 'productpage:9080',
  scheme: 'http',
  size: 3n,
  headers: {
    ':path': '/api/v1/products',
    'x-request-id': '77',
    'user-agent': 'curl/8',
    referer: 'http://a/',
    cookie: 'user=jason',
  },
};
const token = {
  'envoy.filters.http.jwt_authn': {
    payload: {
      iss: 'https://a',
      sub: 'anna',
      aud: ['x', 'y'],
      azp: 'app',
      level: 3,
      groups: ['g1', 'g2'],
      o: { a: 1 },
    },
  },
};

describe('attributes of a check request', () => {
  it.each<[string, Value | undefined]>([
    ['request.method', 'GET'],
    ['request.path', '/api/v1/products?id=7&id=8&name=a%20b&flag'],
    ['request.url_path', '/api/v1/products'],
    ['request.host', 'productpage:9080'],
    ['request.scheme', 'http'],
    ['request.size', 3],
    ['request.id', '77'],
    ['request.useragent', 'curl/8'],
    ['request.referer', 'http://a/'],
    ['request.time', 1_700_000_000_500],
    ['context.time', 1_700_000_000_500],
    ['context.protocol', 'http'],
    ['context.reporter.kind', 'inbound'],
    ['context.reporter.uid', 'kubernetes://ratings-v1.default'],
    ['context.reporter.local', true],
    ['source.ip', '10.0.0.1'],
    ['source.port', 40_000],
    ['destination.ip', '10.0.0.2'],
    ['destination.port', 9080],
    ['origin.ip', '10.0.0.1'],
    ['origin.user', 'cluster.local/ns/default/sa/reviews'],
    ['source.labels', new Map([['version', 'v3']])],
    ['destination.labels', undefined],
    ['request.api_key', undefined],
    ['request.auth.principal', undefined],
    ['request.auth.claims', undefined],
    ['connection.mtls', false],
    ['response.code', undefined],
    ['nobody.knows', undefined],
  ])('%s', (name, value) => {
    expect(bagOf({ http }).get(name)).toEqual(value);
  });

  it('takes the first of several values of the query, decoded', () => {
    expect(bagOf({ http }).get('request.query_params')).toEqual(
      new Map([
        ['id', '7'],
        ['name', 'a b'],
        ['flag', ''],
      ]),
    );
  });

  it('has no request where there is a connection', () => {
    const bag = bagOf({ http: undefined, identity: 'spiffe://cluster.local/ns/a/sa/b', sni: 'mongo' });
    expect(bag.get('context.protocol')).toBe('tcp');
    expect(bag.get('connection.mtls')).toBe(true);
    expect(bag.get('connection.requested_server_name')).toBe('mongo');
    for (const name of mixerVocabulary.keys())
      if (name.startsWith('request.') && name !== 'request.time') expect(bag.get(name)).toBeUndefined();
  });

  it('knows gRPC by its content', () => {
    expect(bagOf({ http: { headers: { 'content-type': 'application/grpc+proto' } } }).get('context.protocol')).toBe(
      'grpc',
    );
  });

  it.each<[string, Value]>([
    ['request.auth.principal', 'https://a/anna'],
    ['request.auth.audiences', 'x,y'],
    ['request.auth.presenter', 'app'],
    [
      'request.auth.claims',
      new Map([
        ['iss', 'https://a'],
        ['sub', 'anna'],
        ['aud', 'x,y'],
        ['azp', 'app'],
        ['level', '3'],
        ['groups', 'g1,g2'],
      ]),
    ],
  ])('%s, of a token that was found good', (name, value) => {
    expect(bagOf({ metadata: token }).get(name)).toEqual(value);
  });

  it('has the claims as JSON', () => {
    const raw = bagOf({ metadata: token }).get('request.auth.raw_claims');
    expect(JSON.parse(raw as string)).toEqual(token['envoy.filters.http.jwt_authn'].payload);
  });

  it.each([
    [{ path: '/?key=a' }, 'a'],
    [{ path: '/?api_key=b' }, 'b'],
    [{ path: '/', headers: { 'x-api-key': 'c' } }, 'c'],
  ])('finds the API key in %j', (asked, key) => {
    expect(bagOf({ http: asked }).get('request.api_key')).toBe(key);
  });

  it('has what the HTTPAPISpecs of the called service say of its operations and keys', () => {
    const object = (kind: string, name: string, spec: object, namespace = 'default') =>
      normalizeObject({ apiVersion: 'config.istio.io/v1alpha2', kind, metadata: { name, namespace }, spec });
    const texts = (values: Readonly<Record<string, string>>) => ({
      attributes: Object.fromEntries(Object.entries(values).map(([name, stringValue]) => [name, { stringValue }])),
    });
    const objects = [
      object('HTTPAPISpec', 'ratings', {
        attributes: texts({ 'api.service': 'ratings.com', 'api.version': '1.0', 'api.operation': 'other' }),
        patterns: [
          { httpMethod: 'GET', uriTemplate: '/ratings/{id}', attributes: texts({ 'api.operation': 'get' }) },
          { regex: '/ratings/.*', attributes: texts({ 'api.operation': 'change' }) },
        ],
        apiKeys: [{ cookie: 'key' }, { header: 'X-Key' }],
      }),
      object('HTTPAPISpecBinding', 'ratings', {
        services: [{ name: 'ratings' }],
        apiSpecs: [{ name: 'ratings' }],
      }),
    ];
    const read = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) => {
      const bag = bagOf({ http: { method, path, headers } }, objects);
      return ['api.service', 'api.operation', 'request.api_key'].map((name) => bag.get(name));
    };
    expect(compilePolicy(objects).problems).toEqual([]);
    expect(read('GET', '/ratings/7?key=q', { cookie: 'a=b; key=c' })).toEqual(['ratings.com', 'get', 'c']);
    expect(read('PUT', '/ratings/7', { 'x-key': 'h' })).toEqual(['ratings.com', 'change', 'h']);
    expect(read('GET', '/ratings/7/a')).toEqual(['ratings.com', 'change', undefined]);
    expect(read('GET', '/health')).toEqual(['ratings.com', 'other', undefined]);
    expect(bagOf({ http: undefined }, objects).get('api.service')).toBeUndefined();
  });

  it('has one way to write an address', () => {
    expect(bagOf({ from: '::ffff:10.0.0.9' }).get('source.ip')).toBe('10.0.0.9');
    expect(bagOf({ from: '2001:DB8::0:1' }).get('source.ip')).toBe('2001:db8::1');
  });

  it('knows nothing of itself that is not in the vocabulary', () => {
    const bag = bagOf({ http, metadata: token });
    for (const name of ['request', 'source', 'get', 'toString']) expect(bag.get(name)).toBeUndefined();
  });
});
