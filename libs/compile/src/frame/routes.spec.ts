import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { DestinationRule, HTTPRoute, VirtualService } from '@seine/istio';
import { defaultMeshConfig, type MeshService } from '@seine/model';
import type { VirtualHostInput } from '../inputs.js';
import { destinationHosts, emitVirtualHost } from './routes.js';

const host = 'reviews.default.svc.cluster.local';
const reviews: MeshService = {
  host,
  name: 'reviews',
  namespace: 'default',
  ports: [{ port: 9080, name: 'http', protocol: 'HTTP' }],
  addresses: ['10.0.0.7'],
  resolution: 'static',
  headless: false,
  external: false,
  exportTo: '*',
  subjectAltNames: [],
  serviceAccounts: [],
  creationTimestamp: '2026-01-01T00:00:00Z',
  origin: { kind: 'Service', namespace: 'default', name: 'reviews' },
  registry: 'kubernetes',
};
const virtualService = (spec: Partial<VirtualService['spec']>): VirtualService => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'reviews', namespace: 'default' },
  spec: { hosts: ['reviews'], ...spec },
});
const ringHash: DestinationRule = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'reviews', namespace: 'default' },
  spec: { host: 'reviews', trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'version' } } } },
};
const inputOf = (http?: HTTPRoute[], more: Partial<VirtualHostInput> = {}): VirtualHostInput => ({
  name: `${host}:9080`,
  domains: [host],
  port: 9080,
  service: reviews,
  virtualService: http && virtualService({ http }),
  destinations: [{ host, service: reviews, rule: undefined }],
  client: { gateway: 'mesh', namespace: 'default', labels: { app: 'productpage' } },
  config: defaultMeshConfig,
  ...more,
});
const emitted = (input: VirtualHostInput): { routes: Record<string, unknown>[] } => {
  const virtualHost = emitVirtualHost(input);
  if (!virtualHost) throw new Error('no virtual host');
  return toEnvoyJson(VirtualHostSchema, virtualHost) as { routes: Record<string, unknown>[] };
};
const to = (subset: string): HTTPRoute['route'] => [{ destination: { host: 'reviews', subset } }];
const cluster = (subset: string): string => `outbound|9080|${subset}|${host}`;
const retryPolicy = {
  retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
  num_retries: 2,
  host_selection_retry_max_attempts: '5',
  retry_host_predicate: [
    {
      name: 'envoy.retry_host_predicates.previous_hosts',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
      },
    },
  ],
};
const metadata = {
  filter_metadata: {
    istio: { config: '/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews' },
  },
};

describe('emitVirtualHost', () => {
  it('gives a service without a VirtualService the default route', () => {
    expect(emitted(inputOf())).toEqual({
      name: `${host}:9080`,
      domains: [host],
      include_request_attempt_count: true,
      routes: [
        {
          name: 'default',
          match: { prefix: '/' },
          decorator: { operation: `${host}:9080/*` },
          route: { cluster: cluster(''), timeout: '0s', max_grpc_timeout: '0s', retry_policy: retryPolicy },
        },
      ],
    });
  });

  it('hashes the default route where the DestinationRule asks for it', () => {
    const destinations = [{ host, service: reviews, rule: ringHash }];
    const { routes } = emitted(inputOf(undefined, { destinations }));
    expect(routes[0]).toMatchObject({
      route: { hash_policy: [{ header: { header_name: 'version' } }], retry_policy: { num_retries: 2 } },
    });
    expect(JSON.stringify(routes)).not.toContain('previous_hosts');
  });

  it('assembles all parts of a forwarding route', () => {
    const http: HTTPRoute = {
      name: 'all',
      match: [{ name: 'v2', uri: { prefix: '/a' }, statPrefix: 'stat' }],
      rewrite: { uri: '/b', authority: 'rewritten.example.com' },
      timeout: '5s',
      retries: { attempts: 0 },
      fault: { abort: { httpStatus: 500, percentage: { value: 10 } } },
      corsPolicy: { allowOrigins: [{ exact: 'http://a' }] },
      mirror: { host: 'reviews', subset: 'v3' },
      headers: { request: { set: { 'x-a': '1' } }, response: { remove: ['x-b'] } },
      route: [
        {
          destination: { host: 'reviews', subset: 'v2' },
          headers: { request: { add: { 'x-c': '2', host: 'unused' } } },
        },
      ],
    };
    expect(emitted(inputOf([http])).routes).toEqual([
      {
        name: 'all.v2',
        match: { prefix: '/a', case_sensitive: true },
        stat_prefix: 'stat',
        metadata,
        decorator: { operation: `${host}:9080/a*` },
        route: {
          cluster: cluster('v2'),
          timeout: '5s',
          max_grpc_timeout: '5s',
          prefix_rewrite: '/b',
          host_rewrite_literal: 'rewritten.example.com',
          request_mirror_policies: [
            {
              cluster: cluster('v3'),
              runtime_fraction: { default_value: { numerator: 1_000_000, denominator: 'MILLION' } },
              trace_sampled: false,
              disable_shadow_host_suffix_append: true,
            },
          ],
        },
        request_headers_to_add: [
          { header: { key: 'x-a', value: '1' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          { header: { key: 'x-c', value: '2' } },
        ],
        response_headers_to_remove: ['x-b'],
        typed_per_filter_config: {
          'envoy.filters.http.fault': expect.objectContaining({ abort: expect.anything() }),
          'envoy.filters.http.cors': expect.objectContaining({ allow_origin_string_match: [{ exact: 'http://a' }] }),
        },
      },
    ]);
  });

  it.each<[string, HTTPRoute, object]>([
    [
      'weighted clusters, named by the VirtualService in traces',
      {
        route: [
          { destination: { host: 'reviews', subset: 'v1' }, weight: 90 },
          { destination: { host: 'reviews', subset: 'v2' }, weight: 10 },
        ],
      },
      { decorator: { operation: 'reviews:9080/*' }, route: { weighted_clusters: expect.anything() } },
    ],
    ['a redirect', { redirect: { uri: '/new' } }, { redirect: { path_redirect: '/new' } }],
    ['a direct response', { directResponse: { status: 418 } }, { direct_response: { status: 418 } }],
    [
      'the Host of route headers',
      { headers: { request: { set: { Host: 'h.example.com' } } }, route: to('v1') },
      { route: { host_rewrite_literal: 'h.example.com' } },
    ],
    [
      "the Host of the single destination's headers",
      { route: [{ destination: { host: 'reviews' }, headers: { request: { set: { Host: 'd.example.com' } } } }] },
      { route: { host_rewrite_literal: 'd.example.com' } },
    ],
    [
      '503 where every weight is 0',
      { route: [...(to('v1') ?? []), ...(to('v2') ?? [])] },
      { direct_response: { status: 503 } },
    ],
    [
      'a service nobody knows',
      { route: [{ destination: { host: 'nobody' } }] },
      { route: { cluster: 'outbound|9080||nobody.default.svc.cluster.local' } },
    ],
  ])('%s', (_, http, expected) => {
    expect(emitted(inputOf([http])).routes).toMatchObject([{ metadata, ...expected }]);
  });

  it.each<[string, HTTPRoute[], string[]]>([
    [
      'the order of http, a route for every match',
      [
        { match: [{ uri: { exact: '/1' } }, { uri: { exact: '/2' } }], route: to('v1') },
        { match: [{ uri: { exact: '/3' } }], route: to('v2') },
        { route: to('v3') },
      ],
      [cluster('v1'), cluster('v1'), cluster('v2'), cluster('v3')],
    ],
    ['nothing after a route for every request', [{ route: to('v1') }, { route: to('v2') }], [cluster('v1')]],
    [
      'what concerns the client alone',
      [
        { match: [{ sourceLabels: { app: 'ratings' } }], route: to('v1') },
        { match: [{ port: 80 }], route: to('v2') },
        { match: [{ gateways: ['my-gateway'] }], route: to('v2') },
        { match: [{ sourceLabels: { app: 'productpage' } }], route: to('v3') },
      ],
      [cluster('v3')],
    ],
    [
      'the default route where nothing concerns the client',
      [{ match: [{ sourceNamespace: 'other' }], route: to('v1') }],
      [cluster('')],
    ],
  ])('keeps %s', (_, http, clusters) => {
    expect(emitted(inputOf(http)).routes.map((route) => (route['route'] as { cluster: string }).cluster)).toEqual(
      clusters,
    );
  });

  it('tunnels CONNECT to the service in http_proxy', () => {
    const { routes } = emitted(inputOf([{ route: to('v1') }], { connect: true }));
    expect(routes).toHaveLength(2);
    expect(routes[1]).toEqual({
      name: 'connect',
      match: { connect_matcher: {} },
      decorator: { operation: `${host}:9080/*` },
      route: {
        cluster: cluster(''),
        timeout: '0s',
        max_grpc_timeout: '0s',
        upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }],
      },
    });
  });

  it('leaves a host without service and routes to the catch-all', () => {
    const http: HTTPRoute[] = [{ match: [{ sourceNamespace: 'other' }], route: to('v1') }];
    expect(emitVirtualHost(inputOf(http, { service: undefined }))).toBeUndefined();
  });
});

describe('destinationHosts', () => {
  it('names each host once: routes of all protocols and mirrors', () => {
    const vs = virtualService({
      http: [
        { route: to('v1'), mirror: { host: 'mirror' }, mirrors: [{ destination: { host: 'm2.example.com' } }] },
        { route: to('v2') },
        { redirect: { uri: '/' } },
      ],
      tcp: [{ route: [{ destination: { host: 'mongo' } }] }],
      tls: [{ match: [{ sniHosts: ['a'] }], route: [{ destination: { host: 'tls.example.com' } }] }],
    });
    expect(destinationHosts(vs, 'cluster.local')).toEqual([
      'm2.example.com',
      'mirror.default.svc.cluster.local',
      'mongo.default.svc.cluster.local',
      host,
      'tls.example.com',
    ]);
  });
});
