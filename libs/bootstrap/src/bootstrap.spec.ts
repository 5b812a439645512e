import { describe, expect, it } from '@jest/globals';
import type { ProxySettings } from '@seine/istio';
import { bootstrapJson, renderBootstrap } from './bootstrap.js';
import type { BootstrapOptions } from './bootstrap-options.js';

import { parseNode } from './parse-node.js';

const options: BootstrapOptions = {
  node: {
    type: 'sidecar',
    name: 'reviews-v1-abc',
    namespace: 'default',
    ipAddresses: ['127.0.0.9'],
    labels: { app: 'reviews', version: 'v1' },
    workloadName: 'reviews-v1',
    serviceAccount: 'bookinfo-reviews',
    locality: { region: 'r', zone: 'z', subzone: 's' },
    interceptionMode: 'NONE',
    httpProxyPort: 15007,
    appPorts: new Map([[9080, 19080]]),
    outboundCidr: '127.4.7.0/24',
    clusterId: 'laptop',
    meshId: 'mesh1',
  },
  xds: { host: '127.0.0.1', port: 15010 },
  admin: { port: 15000 },
  statusAddress: '127.0.0.9',
  prometheusPort: 15090,
  readyPort: 15021,
};
const jsonOf = (changes: Partial<BootstrapOptions>): unknown => JSON.parse(bootstrapJson({ ...options, ...changes }));

describe('bootstrap', () => {
  it('introduces the proxy as Istio does', () => {
    expect(jsonOf({})).toMatchObject({
      node: {
        id: 'sidecar~127.0.0.9~reviews-v1-abc.default~default.svc.cluster.local',
        cluster: 'reviews.default',
        metadata: {
          NAME: 'reviews-v1-abc',
          NAMESPACE: 'default',
          LABELS: { app: 'reviews', version: 'v1' },
          WORKLOAD_NAME: 'reviews-v1',
          SERVICE_ACCOUNT: 'bookinfo-reviews',
          INSTANCE_IPS: '127.0.0.9',
          INTERCEPTION_MODE: 'NONE',
          HTTP_PROXY_PORT: '15007',
          CLUSTER_ID: 'laptop',
          MESH_ID: 'mesh1',
          SEINE_APP_PORTS: '9080=19080',
          SEINE_OUTBOUND_CIDR: '127.4.7.0/24',
        },
      },
    });
  });

  it('leaves unset metadata out', () => {
    const { type, name, namespace, ipAddresses } = options.node;
    const { node } = renderBootstrap({ ...options, node: { type, name, namespace, ipAddresses } });
    expect(Object.keys(node?.metadata ?? {})).toEqual(['NAME', 'NAMESPACE', 'INSTANCE_IPS', 'ISTIO_VERSION']);
    expect(node?.cluster).toBe('reviews-v1-abc.default');
  });

  it('has its admin interface on a Unix socket where one is named', () => {
    const pipe = { pipe: { path: '/run/reviews/admin.sock', mode: 384 } };
    expect(jsonOf({ admin: { socketPath: '/run/reviews/admin.sock' } })).toMatchObject({
      admin: { address: pipe },
      static_resources: {
        clusters: [
          { name: 'xds-grpc' },
          { load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { address: pipe } }] }] } },
        ],
      },
    });
  });

  it('finds the agent on its socket, and says that there is one', () => {
    const socket = '/run/reviews/sds/socket';
    const agent = { pipe: { path: socket } };
    expect(jsonOf({ agentSocket: socket })).toMatchObject({
      node: { metadata: { SEINE_WORKLOAD_SDS: 'true' } },
      static_resources: {
        clusters: [
          { name: 'xds-grpc' },
          { name: 'prometheus_stats' },
          {
            name: 'sds-grpc',
            load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { address: agent } }] }] },
          },
        ],
      },
    });
    expect(JSON.stringify(jsonOf({}))).not.toContain('sds-grpc');
  });

  it('speaks to pilot over mutual TLS where an identity is expected of it', () => {
    const identity = 'spiffe://cluster.local/ns/istio-system/sa/pilot';
    const agentSocket = '/run/reviews/sds/socket';
    const source = {
      api_config_source: { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }] },
      initial_fetch_timeout: '0s',
    };
    const secured = { xds: { host: 'pilot.istio-system.svc', port: 15012, identity }, agentSocket };
    expect(jsonOf(secured)).toMatchObject({
      static_resources: {
        clusters: [
          {
            name: 'xds-grpc',
            transport_socket: {
              name: 'envoy.transport_sockets.tls',
              typed_config: {
                sni: 'pilot.istio-system.svc',
                common_tls_context: {
                  alpn_protocols: ['h2'],
                  tls_certificate_sds_secret_configs: [{ name: 'default', sds_config: source }],
                  combined_validation_context: {
                    default_validation_context: {
                      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: identity } }],
                    },
                    validation_context_sds_secret_config: { name: 'ROOTCA', sds_config: source },
                  },
                },
              },
            },
          },
          { name: 'prometheus_stats' },
          { name: 'sds-grpc' },
        ],
      },
    });
    // A server name may not be an address.
    expect(JSON.stringify(jsonOf({ ...secured, xds: { ...secured.xds, host: '10.0.0.1' } }))).not.toContain('"sni"');
    expect(() => jsonOf({ xds: secured.xds })).toThrow('xDS over mutual TLS needs agentSocket');
    expect(JSON.stringify(jsonOf({ agentSocket }))).not.toContain('transport_socket');
  });

  describe('settings', () => {
    const { type, name, namespace, ipAddresses } = options.node;
    const plain = { type, name, namespace, ipAddresses };
    const withSettings = (settings: ProxySettings, node: BootstrapOptions['node'] = plain) =>
      renderBootstrap({ ...options, node, settings });

    it('name the service in traces', () => {
      const node = {
        ...plain,
        workloadName: 'reviews-v1',
        labels: { app: 'reviews', 'service.istio.io/canonical-name': 'rev' },
      };
      const clusters: [ProxySettings, string][] = [
        [{}, 'reviews.default'],
        [{ serviceCluster: 'mine' }, 'mine'],
        [{ tracingServiceName: 'CANONICAL_NAME_ONLY' }, 'rev'],
        [{ tracingServiceName: 'CANONICAL_NAME_AND_NAMESPACE' }, 'rev.default'],
      ];
      for (const [settings, cluster] of clusters) expect(withSettings(settings, node).node?.cluster).toBe(cluster);
    });

    it('make metadata of variables, as Istio’s agent does', () => {
      const proxyMetadata = {
        ISTIO_META_TEAM: 'books',
        ISTIO_METAJSON_MORE: '{"A": 1, "B": {"c": true}}',
        ISTIO_METAJSON_BROKEN: '{',
        OTHER: 'x',
      };
      const { node } = withSettings({ proxyMetadata, meshId: 'm' });
      expect(node?.metadata).toMatchObject({ TEAM: 'books', A: 1, B: { c: true }, MESH_ID: 'm' });
      expect(Object.keys(node?.metadata ?? {})).not.toContain('OTHER');
    });

    it('set values of the runtime beside our own', () => {
      const [layer] = withSettings({ runtimeValues: { 'my.key': '1' } }).layeredRuntime?.layers ?? [];
      const values = { 're2.max_program_size.error_level': 32_768, 'my.key': '1' };
      expect(layer?.layerSpecifier).toEqual({ case: 'staticLayer', value: values });
    });

    it('add to the statistics that are kept, and to their tags', () => {
      const proxyStatsMatcher = { inclusionPrefixes: ['p'], inclusionSuffixes: ['s'], inclusionRegexps: ['r.*'] };
      const settings = { proxyStatsMatcher, extraStatTags: ['tenant'] };
      const { statsConfig } = renderBootstrap({ ...options, stats: 'istio', settings });
      const matcher = statsConfig?.statsMatcher?.statsMatcher;
      const patterns = matcher?.case === 'inclusionList' ? matcher.value.patterns.map((one) => one.matchPattern) : [];
      expect(patterns).toEqual(
        expect.arrayContaining([
          { case: 'prefix', value: 'p' },
          { case: 'suffix', value: 's' },
          expect.objectContaining({ case: 'safeRegex', value: expect.objectContaining({ regex: 'r.*' }) as object }),
          { case: 'prefix', value: 'reporter=' },
        ]),
      );
      const tag = statsConfig?.statsTags.find(({ tagName }) => tagName === 'tenant');
      const regex = new RegExp(String(tag?.tagValue.value));
      expect(regex.exec('istiocustom.tenant.=.blue;.requests')?.slice(1)).toEqual(['tenant.=.blue;.', 'blue']);
    });

    it('push statistics to a statsd', () => {
      expect(jsonOf({ settings: { statsdUdpAddress: '127.0.0.1:8125' } })).toMatchObject({
        stats_sinks: [
          {
            name: 'envoy.stat_sinks.statsd',
            typed_config: { address: { socket_address: { address: '127.0.0.1', port_value: 8125 } } },
          },
        ],
      });
      expect(jsonOf({})).not.toHaveProperty('stats_sinks');
    });
  });

  it('is read back by parseNode', () => {
    const node = { ...options.node, meshId: undefined };
    expect(parseNode(renderBootstrap(options).node)).toEqual({
      proxy: expect.objectContaining(
        Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined)),
      ),
    });
  });

  it('subscribes by delta ADS and waits for the first answer', () => {
    expect(jsonOf({})).toMatchObject({
      dynamic_resources: {
        lds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
        cds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
        ads_config: {
          api_type: 'DELTA_GRPC',
          transport_api_version: 'V3',
          grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
        },
      },
    });
  });

  it.each([
    ['127.0.0.1', 'STATIC'],
    ['::1', 'STATIC'],
    ['pilot.istio-system.svc', 'STRICT_DNS'],
  ])('reaches pilot at %s by discovery type %s', (host, type) => {
    const { clusters } = (
      jsonOf({ xds: { host, port: 15010 } }) as { static_resources: { clusters: { type?: string }[] } }
    ).static_resources;
    expect(clusters[0]?.type).toBe(type);
  });

  it.each([
    [15090, 15021, ['prometheus', 'ready']],
    [0, 15021, ['ready']],
    [15090, 0, ['prometheus']],
    [0, 0, []],
  ])('with ports %i and %i has the listeners %j', (prometheusPort, readyPort, names) => {
    const { staticResources } = renderBootstrap({ ...options, prometheusPort, readyPort });
    expect(staticResources?.listeners.map((listener) => listener.name)).toEqual(names);
  });

  it('shows one path of the admin interface each', () => {
    const text = bootstrapJson(options);
    expect([...text.matchAll(/"path": "([^"]+)"/g)].map((match) => match[1])).toEqual([
      '/stats/prometheus',
      '/healthz/ready',
    ]);
    expect(text).not.toContain('"prefix": "/"');
  });

  const statNames: [string, string, string, string][] = [
    [
      'cluster.outbound|9080|v1|reviews.default.svc.cluster.local;.upstream_rq_total',
      'cluster_name',
      'outbound|9080|v1|reviews.default.svc.cluster.local',
      'cluster.upstream_rq_total',
    ],
    ['cluster.inbound|9080||;.upstream_rq_total', 'cluster_name', 'inbound|9080||', 'cluster.upstream_rq_total'],
    ['cluster.xds-grpc.upstream_cx_total', 'cluster_name', 'xds-grpc', 'cluster.upstream_cx_total'],
    [
      'http.outbound_0.0.0.0_9080;.downstream_rq_2xx',
      'http_conn_manager_prefix',
      'outbound_0.0.0.0_9080',
      'http.downstream_rq_2xx',
    ],
    [
      'http.outbound_0.0.0.0_9080;.downstream_rq_2xx',
      'response_code_class',
      '2xx',
      'http.outbound_0.0.0.0_9080;.downstream_rq',
    ],
    ['cluster.x;.upstream_rq_503', 'response_code', '503', 'cluster.x;.upstream_rq'],
    [
      'tcp.outbound|3306||mysql.ns.svc;.downstream_cx_total',
      'tcp_prefix',
      'outbound|3306||mysql.ns.svc',
      'tcp.downstream_cx_total',
    ],
    ['listener.0.0.0.0_15006.downstream_cx_total', 'listener_address', '0.0.0.0_15006', 'listener.downstream_cx_total'],
  ];
  it.each(statNames)('takes %s apart by %s', (stat, tag, value, rest) => {
    const specifier = renderBootstrap(options).statsConfig?.statsTags.find(({ tagName }) => tagName === tag);
    // Envoy: the first group leaves the name, the second is the label.
    const match = new RegExp(String(specifier?.tagValue.value)).exec(stat);
    expect(match?.[2]).toBe(value);
    expect(stat.replace(match?.[1] ?? '', '')).toBe(rest);
  });

  it.each([
    ['all', false],
    ['istio', true],
  ] as const)('with stats %s has an inclusion list: %s', (stats, listed) => {
    expect(renderBootstrap({ ...options, stats }).statsConfig?.statsMatcher !== undefined).toBe(listed);
  });
});
