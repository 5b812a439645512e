import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { Gateway, HTTPRoute, Server, VirtualService } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import { emitGatewayRoutes, gatewayRouteName, gatewayVirtualServices } from './gateway-routes.js';

const gateway = (name: string, servers: Server[], namespace = 'default'): Gateway => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name, namespace },
  spec: { selector: { istio: 'ingressgateway' }, servers },
});
const http = (hosts: string[], more: Partial<Server> = {}): Server => ({
  port: { number: 80, name: 'http', protocol: 'HTTP' },
  hosts,
  ...more,
});
const virtualService = (
  name: string,
  hosts: string[],
  routes: HTTPRoute[],
  more: Partial<VirtualService['spec']> & { namespace?: string } = {},
): VirtualService => {
  const { namespace = 'default', ...spec } = more;
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace },
    spec: { hosts, gateways: ['gw'], http: routes, ...spec },
  };
};
const to = (host: string, prefix?: string): HTTPRoute => ({
  match: prefix === undefined ? undefined : [{ uri: { prefix } }],
  route: [{ destination: { host, port: { number: 80 } } }],
});

interface Emitted {
  readonly virtual_hosts: {
    name: string;
    domains: string[];
    require_tls?: string;
    routes?: { match: { prefix: string }; route: { cluster: string } }[];
  }[];
}
const emitted = (gateways: readonly Gateway[], virtualServices: readonly VirtualService[]): Emitted => {
  const config = emitGatewayRoutes({
    name: 'http.80',
    servers: gateways.flatMap((g) => (g.spec.servers ?? []).map((_, index) => ({ gateway: g, index }))),
    virtualServices,
    destinations: [],
    client: { namespace: 'istio-system', labels: {} },
    config: defaultMeshConfig,
  });
  return toEnvoyJson(RouteConfigurationSchema, config) as unknown as Emitted;
};
const summary = ({ virtual_hosts }: Emitted): unknown =>
  virtual_hosts.map(({ domains, routes, require_tls }) => [
    domains.join(),
    (routes ?? []).map(({ match, route }) => `${match.prefix} ${route.cluster.split('|')[3] ?? ''}`),
    ...(require_tls ? [require_tls] : []),
  ]);

describe('gatewayRouteName', () => {
  const tls = { mode: 'SIMPLE' as const, credentialName: 'cert' };
  const https = { number: 443, name: 'web', protocol: 'HTTPS' };
  it.each<[Server, string | undefined]>([
    [http(['*']), 'http.8080'],
    [http(['*'], { bind: '127.0.0.1' }), 'http.8080.127.0.0.1'],
    [http(['*'], { port: { number: 80, name: 'x', protocol: 'HTTP2' } }), 'http.8080'],
    [http(['*'], { port: { number: 80, name: 'x', protocol: 'GRPC' } }), 'http.8080'],
    [http(['*'], { port: https, tls }), 'https.443.web.gw.default'],
    [http(['*'], { port: https, tls: { mode: 'PASSTHROUGH' } }), undefined],
    [http(['*'], { port: https }), undefined],
    [http(['*'], { port: { number: 31400, name: 'tcp', protocol: 'TCP' } }), undefined],
    [http(['*'], { port: { number: 443, name: 'tls', protocol: 'TLS' }, tls }), undefined],
  ])('%j: %p', (server, name) => {
    expect(gatewayRouteName({ gateway: gateway('gw', [server]), index: 0 }, 8080)).toBe(name);
  });

  it('knows no server of that index', () => {
    expect(gatewayRouteName({ gateway: gateway('gw', []), index: 0 }, 8080)).toBeUndefined();
  });
});

describe('gatewayVirtualServices', () => {
  const gw = gateway('gw', [http(['*.example.com', './own.com', 'prod/prod.com'])]);
  it.each<[string, VirtualService, boolean]>([
    ['bound by a bare name', virtualService('a', ['a.example.com'], []), true],
    [
      'bound by namespace/name',
      virtualService('a', ['a.example.com'], [], { namespace: 'x', gateways: ['default/gw'] }),
      true,
    ],
    ['a bare name of another namespace', virtualService('a', ['a.example.com'], [], { namespace: 'x' }), false],
    ['the mesh only', virtualService('a', ['a.example.com'], [], { gateways: undefined }), false],
    ['another host', virtualService('a', ['a.com'], []), false],
    ['a wider host', virtualService('a', ['*'], []), true],
    ["the Gateway's own namespace", virtualService('a', ['own.com'], []), true],
    ['not that of another', virtualService('a', ['own.com'], [], { namespace: 'x', gateways: ['default/gw'] }), false],
    [
      'the named namespace',
      virtualService('a', ['prod.com'], [], { namespace: 'prod', gateways: ['default/gw'] }),
      true,
    ],
    ['exported to all', virtualService('a', ['a.example.com'], [], { exportTo: ['*'] }), true],
    ['exported to the proxy', virtualService('a', ['a.example.com'], [], { exportTo: ['istio-system'] }), true],
    ['exported to its own namespace only', virtualService('a', ['a.example.com'], [], { exportTo: ['.'] }), false],
  ])('%s', (_, candidate, selected) => {
    const result = gatewayVirtualServices([{ gateway: gw, index: 0 }], [candidate], 'istio-system', 'cluster.local');
    expect(result).toEqual(selected ? [candidate] : []);
  });
});

describe('emitGatewayRoutes', () => {
  it('answers 404 where nothing is bound', () => {
    expect(emitted([gateway('gw', [http(['*'])])], [])).toEqual({
      name: 'http.80',
      virtual_hosts: [{ name: 'blackhole:80', domains: ['*'] }],
      validate_clusters: false,
      max_direct_response_body_size_bytes: 1048576,
      ignore_port_in_host_matching: true,
    });
  });

  it('names virtual hosts by host and port', () => {
    const { virtual_hosts } = emitted(
      [gateway('gw', [http(['*'])])],
      [virtualService('a', ['a.com', 'b.com'], [to('a')])],
    );
    expect(virtual_hosts.map(({ name }) => name)).toEqual(['a.com:80', 'b.com:80']);
    expect(virtual_hosts[0]).toMatchObject({ include_request_attempt_count: true });
  });

  it.each<[string, Gateway[], VirtualService[], unknown[]]>([
    [
      'the narrower host of server and VirtualService',
      [gateway('gw', [http(['*.example.com', 'one.com'])])],
      [
        virtualService('a', ['shop.example.com', 'other.com'], [to('shop')]),
        virtualService('b', ['*.com'], [to('any')]),
      ],
      [
        ['shop.example.com', ['/ shop.default.svc.cluster.local']],
        ['*.example.com', ['/ any.default.svc.cluster.local']],
        ['one.com', ['/ any.default.svc.cluster.local']],
      ],
    ],
    [
      'several VirtualServices for one host merged, catch-alls last',
      [gateway('gw', [http(['*'])])],
      [
        virtualService('a', ['a.com'], [to('a1', '/a'), to('a2')]),
        virtualService('b', ['A.com'], [to('b1', '/b'), to('b2')]),
      ],
      [
        [
          'a.com',
          ['/a a1.default.svc.cluster.local', '/b b1.default.svc.cluster.local', '/ a2.default.svc.cluster.local'],
        ],
      ],
    ],
    [
      'servers of two Gateways on one port, each with its own VirtualServices',
      [gateway('gw', [http(['a.com'])]), gateway('gw2', [http(['b.com'])])],
      [
        virtualService('a', ['a.com', 'b.com'], [to('a')]),
        virtualService('b', ['b.com'], [to('b')], { gateways: ['gw2'] }),
      ],
      [
        ['a.com', ['/ a.default.svc.cluster.local']],
        ['b.com', ['/ b.default.svc.cluster.local']],
      ],
    ],
    [
      'a host of two servers of one Gateway once',
      [gateway('gw', [http(['a.com']), http(['a.com', 'b.com'])])],
      [virtualService('a', ['a.com'], [to('a', '/a')])],
      [['a.com', ['/a a.default.svc.cluster.local']]],
    ],
    [
      'httpsRedirect, with and without routes',
      [gateway('gw', [http(['./a.com', 'b.com'], { tls: { httpsRedirect: true } }), http(['c.com'])])],
      [virtualService('a', ['a.com', 'c.com'], [to('a')])],
      [
        ['a.com', ['/ a.default.svc.cluster.local'], 'ALL'],
        ['b.com', [], 'ALL'],
        ['c.com', ['/ a.default.svc.cluster.local']],
      ],
    ],
    [
      'only routes for this gateway',
      [gateway('gw', [http(['*'])])],
      [
        virtualService(
          'a',
          ['a.com'],
          [
            { ...to('mesh'), match: [{ uri: { prefix: '/m' }, gateways: ['mesh'] }] },
            { ...to('gw'), match: [{ uri: { prefix: '/g' }, gateways: ['gw'] }] },
            { ...to('port'), match: [{ uri: { prefix: '/p' }, port: 443 }] },
          ],
          { gateways: ['gw', 'mesh'] },
        ),
      ],
      [['a.com', ['/g gw.default.svc.cluster.local']]],
    ],
  ])('gives %s', (_, gateways, virtualServices, expected) => {
    expect(summary(emitted(gateways, virtualServices))).toEqual(expected);
  });
});
