import { describe, expect, it } from '@jest/globals';
import type { HTTPMatchRequest, HTTPRoute, VirtualService } from '@seine/istio';
import { mergeDelegates } from './merge-delegates.js';
import { mergeMatches } from './merge-matches.js';

const virtualService = (namespace: string, name: string, http: HTTPRoute[]): VirtualService => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { namespace, name },
  spec: { hosts: namespace === 'default' ? ['shop.example.com'] : [], http },
});
const exported = (service: VirtualService, exportTo: string[]): VirtualService => ({
  ...service,
  spec: { ...service.spec, exportTo },
});
const to = (host: string): HTTPRoute['route'] => [{ destination: { host } }];
const merged = (root: HTTPRoute[], delegates: readonly VirtualService[]): readonly HTTPRoute[] | undefined =>
  mergeDelegates(virtualService('default', 'root', root), delegates, 'cluster.local').spec.http;

describe('mergeDelegates', () => {
  it('returns the root itself where nothing is delegated', () => {
    const root = virtualService('default', 'root', [{ route: to('a') }]);
    expect(mergeDelegates(root, [], 'cluster.local')).toBe(root);
  });

  it("puts the delegate's routes in place, with its hosts completed", () => {
    const delegate = virtualService('reviews', 'd', [
      { match: [{ uri: { exact: '/reviews/0' } }], route: to('reviews') },
      { route: to('other.example.com'), mirror: { host: 'copy' }, mirrors: [{ destination: { host: 'copy2' } }] },
    ]);
    const root: HTTPRoute[] = [
      {
        name: 'r',
        match: [{ uri: { prefix: '/reviews' } }],
        delegate: { name: 'd', namespace: 'reviews' },
        timeout: '5s',
      },
      { route: to('last') },
    ];
    expect(merged(root, [delegate])).toMatchObject([
      {
        name: 'r',
        match: [{ uri: { exact: '/reviews/0' } }],
        route: [{ destination: { host: 'reviews.reviews.svc.cluster.local' } }],
        timeout: '5s',
      },
      {
        name: 'r',
        match: [{ uri: { prefix: '/reviews' } }],
        route: [{ destination: { host: 'other.example.com' } }],
        mirror: { host: 'copy.reviews.svc.cluster.local' },
        mirrors: [{ destination: { host: 'copy2.reviews.svc.cluster.local' } }],
      },
      { route: [{ destination: { host: 'last' } }] },
    ]);
  });

  it.each<[string, HTTPRoute, HTTPRoute, object]>([
    ['the delegate wins', { timeout: '5s' }, { timeout: '1s' }, { timeout: '1s' }],
    ['the root fills in', { retries: { attempts: 1 } }, { timeout: '1s' }, { timeout: '1s', retries: { attempts: 1 } }],
    ['an undefined field hides nothing', { timeout: '5s' }, { timeout: undefined }, { timeout: '5s' }],
    ['names are joined', { name: 'a' }, { name: 'b' }, { name: 'a-b' }],
  ])('%s', (_, root, inner, expected) => {
    const delegate = virtualService('default', 'd', [{ ...inner, route: to('a') }]);
    const [route] = merged([{ ...root, delegate: { name: 'd' } }], [delegate]) ?? [];
    expect(route).toMatchObject(expected);
    expect(route?.delegate).toBeUndefined();
  });

  it.each<[string, HTTPRoute, readonly VirtualService[]]>([
    ['a missing delegate', { delegate: { name: 'nobody' } }, []],
    [
      'a delegate outside the root',
      { match: [{ uri: { prefix: '/a' } }], delegate: { name: 'd' } },
      [virtualService('default', 'd', [{ match: [{ uri: { prefix: '/b' } }], route: to('b') }])],
    ],
    [
      'a delegate that is not exported to the root',
      { delegate: { name: 'd', namespace: 'other' } },
      [exported(virtualService('other', 'd', [{ route: to('d') }]), ['.'])],
    ],
    [
      'a delegate of a delegate',
      { delegate: { name: 'd' } },
      [
        virtualService('default', 'd', [{ delegate: { name: 'e' } }]),
        virtualService('default', 'e', [{ route: to('e') }]),
      ],
    ],
  ])('leaves out %s, and nothing else', (_, root, delegates) => {
    expect(merged([root, { route: to('last') }], delegates)).toEqual([{ route: to('last') }]);
  });
});

describe('mergeMatches', () => {
  it.each<[string, HTTPMatchRequest[], HTTPMatchRequest[], object[] | undefined]>([
    ['no root conditions', [], [{ port: 80 }], [{ port: 80 }]],
    ['no delegate conditions', [{ port: 80 }], [], [{ port: 80 }]],
    [
      'every pair that can hold',
      [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }],
      [{ uri: { prefix: '/a/1' } }, { headers: { x: { exact: '1' } } }],
      [
        { uri: { prefix: '/a/1' } },
        { uri: { prefix: '/a' }, headers: { x: { exact: '1' } } },
        { uri: { prefix: '/b' }, headers: { x: { exact: '1' } } },
      ],
    ],
    [
      'maps are joined',
      [{ headers: { a: {} }, sourceLabels: { app: 'x' } }],
      [{ headers: { b: {} }, sourceLabels: { version: 'v1' }, name: 'n' }],
      [{ headers: { a: {}, b: {} }, sourceLabels: { app: 'x', version: 'v1' }, name: 'n' }],
    ],
    ['exact within prefix', [{ uri: { prefix: '/a' } }], [{ uri: { exact: '/a/1' } }], [{ uri: { exact: '/a/1' } }]],
    ['prefix not within exact', [{ uri: { exact: '/a' } }], [{ uri: { prefix: '/a' } }], undefined],
    ['another exact', [{ uri: { exact: '/a' } }], [{ uri: { exact: '/b' } }], undefined],
    ['a wider prefix', [{ uri: { prefix: '/a/b' } }], [{ uri: { prefix: '/a' } }], undefined],
    ['a regex in the root', [{ uri: { regex: '.*' } }], [{ uri: { prefix: '/a' } }], undefined],
    ['a regex in the delegate', [{ method: { exact: 'GET' } }], [{ method: { regex: 'G.*' } }], undefined],
    ['another port', [{ port: 80 }], [{ port: 81 }], undefined],
    ['another case', [{ ignoreUriCase: true }], [{ uri: { prefix: '/a' } }], undefined],
    ['another namespace', [{ sourceNamespace: 'a' }], [{ sourceNamespace: 'b' }], undefined],
    ['another label', [{ sourceLabels: { app: 'a' } }], [{ sourceLabels: { app: 'b' } }], undefined],
    ['another header', [{ headers: { x: { exact: '1' } } }], [{ headers: { x: { exact: '2' } } }], undefined],
    ['another query', [{ queryParams: { x: { exact: '1' } } }], [{ queryParams: { x: { exact: '2' } } }], undefined],
    ['more gateways', [{ gateways: ['a'] }], [{ gateways: ['a', 'b'] }], undefined],
    ['fewer gateways', [{ gateways: ['a', 'b'] }], [{ gateways: ['a'] }], [{ gateways: ['a'] }]],
  ])('%s', (_, root, delegate, expected) => {
    const result = mergeMatches(root, delegate);
    if (expected) expect(result).toMatchObject(expected);
    else expect(result).toBeUndefined();
  });
});
