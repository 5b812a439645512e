import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { DestinationRule } from '@seine/istio';
import { defaultMeshConfig, type MeshService } from '@seine/model';
import { anEndpoint, aPort, aService, endpointsOf } from '@seine/testing';
import type { OutboundClustersInput } from '../inputs.js';
import { emitOutboundClusters } from './clusters.js';
import { emitStaticClusters } from './clusters-static.js';

const rule = (spec: Partial<DestinationRule['spec']>): DestinationRule => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { namespace: 'rules', name: 'reviews' },
  spec: { host: 'reviews', ...spec },
});
const service = aService({ name: 'reviews' });

function clusters(input: Partial<OutboundClustersInput>): Record<string, unknown>[] {
  const base = {
    service,
    rule: undefined,
    config: defaultMeshConfig,
    inlineEndpoints: undefined,
    proxyType: 'sidecar',
  } as const;
  return emitOutboundClusters({ ...base, ...input }).map(
    (cluster) => toEnvoyJson(ClusterSchema, cluster) as Record<string, unknown>,
  );
}
const names = (input: Partial<OutboundClustersInput>) => clusters(input).map((cluster) => cluster['name']);

const name = 'outbound|9080||reviews.default.svc.cluster.local';
const unlimited = {
  max_connections: 4294967295,
  max_pending_requests: 4294967295,
  max_requests: 4294967295,
  max_retries: 4294967295,
  track_remaining: true,
};
const services = [{ host: service.host, name: 'reviews', namespace: 'default' }];

describe('emitOutboundClusters', () => {
  it('emits the whole cluster of a plain service', () => {
    expect(clusters({})).toEqual([
      {
        name,
        alt_stat_name: `${name};`,
        type: 'EDS',
        eds_cluster_config: {
          eds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
          service_name: name,
        },
        connect_timeout: '10s',
        lb_policy: 'LEAST_REQUEST',
        circuit_breakers: { thresholds: [unlimited] },
        metadata: { filter_metadata: { istio: { services }, seine: services[0] } },
      },
    ]);
  });

  it('names the rule and the subset', () => {
    const subsets = [{ name: 'v1', labels: { version: 'v1' } }];
    const config = '/apis/networking.istio.io/v1/namespaces/rules/destination-rule/reviews';
    expect(clusters({ rule: rule({ subsets }) }).map((cluster) => cluster['metadata'])).toEqual([
      { filter_metadata: { istio: { config, services }, seine: services[0] } },
      { filter_metadata: { istio: { config, subset: 'v1', services }, seine: services[0] } },
    ]);
  });

  it.each<[what: string, input: Partial<OutboundClustersInput>, expected: string[]]>([
    [
      'a cluster for each port and subset, none for UDP',
      {
        service: aService({ name: 'a', ports: [aPort(80), aPort(53, 'UDP'), aPort(90, 'TCP')] }),
        rule: rule({ subsets: [{ name: 'v1' }, { name: 'v2' }] }),
      },
      ['80||', '80|v1|', '80|v2|', '90||', '90|v1|', '90|v2|'],
    ],
    ['no ports', { service: aService({ name: 'a', ports: [] }) }, []],
    ['a DNS service without names', { service: aService({ name: 'a', resolution: 'dns' }) }, []],
  ])('%s', (_what, input, expected) => {
    expect(names(input)).toEqual(expected.map((part) => `outbound|${part}a.default.svc.cluster.local`));
  });

  it('puts every block of a policy into the cluster, subset before rule, port before both', () => {
    const [base, subset] = clusters({
      rule: rule({
        trafficPolicy: {
          connectionPool: { tcp: { maxConnections: 1 }, http: { h2UpgradePolicy: 'UPGRADE' } },
          outlierDetection: { consecutive5xxErrors: 3, minHealthPercent: 10 },
          loadBalancer: {
            simple: 'ROUND_ROBIN',
            localityLbSetting: { failover: [{ from: 'a', to: 'b' }] },
          },
          tls: { mode: 'SIMPLE', sni: 'x', caCertificates: '/ca.pem' },
        },
        subsets: [
          {
            name: 'v1',
            trafficPolicy: {
              portLevelSettings: [{ port: { number: 9080 }, loadBalancer: { simple: 'RANDOM' } }],
            },
          },
        ],
      }),
    });
    expect(base).toMatchObject({
      circuit_breakers: { thresholds: [{ ...unlimited, max_connections: 1 }] },
      outlier_detection: { consecutive_5xx: 3 },
      common_lb_config: { healthy_panic_threshold: { value: 10 }, locality_weighted_lb_config: {} },
      transport_socket: {
        name: 'envoy.transport_sockets.tls',
        typed_config: { sni: 'x', common_tls_context: { alpn_protocols: ['h2'] } },
      },
    });
    expect(base).not.toHaveProperty('lb_policy');
    expect(Object.keys(base?.['typed_extension_protocol_options'] ?? {})).toHaveLength(1);
    expect(subset).toMatchObject({ lb_policy: 'RANDOM', circuit_breakers: { thresholds: [unlimited] } });
    for (const absent of [
      'outlier_detection',
      'common_lb_config',
      'transport_socket',
      'typed_extension_protocol_options',
    ])
      expect(subset).not.toHaveProperty(absent);
  });

  const dns = aService({ name: 'ext', host: 'api.example.com', resolution: 'dns', external: true });
  const named = endpointsOf(dns, 9080, [
    anEndpoint('a.example.com', { labels: { zone: 'a' } }, 'r2'),
    anEndpoint('b.example.com', { labels: { zone: 'b' } }, 'r1'),
  ]);
  const addresses = (cluster: Record<string, unknown> | undefined) =>
    [...JSON.stringify(cluster?.['load_assignment'] ?? {}).matchAll(/"address":"([^"]+)"/g)].map((match) => match[1]);

  it.each<[what: string, service: MeshService, input: Partial<OutboundClustersInput>, expected: string[][]]>([
    ['DNS', dns, {}, [['b.example.com', 'a.example.com']]],
    [
      'DNS subsets; those without names are left out',
      dns,
      {
        rule: rule({
          subsets: [
            { name: 'a', labels: { zone: 'a' } },
            { name: 'c', labels: { zone: 'c' } },
          ],
        }),
      },
      [['b.example.com', 'a.example.com'], ['a.example.com']],
    ],
    ['one name only for LOGICAL_DNS', { ...dns, resolution: 'dns-round-robin' }, {}, [['a.example.com']]],
    ['one name only for gRPC libraries', dns, { proxyless: true }, [['a.example.com']]],
  ])('inline endpoints: %s', (_what, of, input, expected) => {
    const emitted = clusters({ service: of, inlineEndpoints: named, ...input });
    expect(emitted.map(addresses)).toEqual(expected);
    for (const cluster of emitted)
      expect(cluster).toMatchObject({ load_assignment: { cluster_name: cluster['name'] } });
  });

  it("verifies an external service's own names over TLS", () => {
    const tls = rule({ trafficPolicy: { tls: { mode: 'SIMPLE', sni: 'x' } } });
    const known = { ...dns, subjectAltNames: ['api.example.com'] };
    const [cluster] = clusters({ service: known, inlineEndpoints: named, rule: tls });
    expect(cluster).toMatchObject({
      transport_socket: {
        typed_config: {
          common_tls_context: {
            validation_context: { match_typed_subject_alt_names: [{ matcher: { exact: 'api.example.com' } }] },
          },
        },
      },
    });
  });

  it('gives gRPC libraries nothing they would refuse', () => {
    const tls = rule({ trafficPolicy: { tls: { mode: 'SIMPLE' }, loadBalancer: { simple: 'LEAST_REQUEST' } } });
    const [cluster] = clusters({ rule: tls, proxyless: true });
    expect(cluster).toMatchObject({ type: 'EDS' });
    expect(cluster).not.toHaveProperty('transport_socket');
    expect(cluster).not.toHaveProperty('lb_policy');
  });

  it('goes to the original destination for headless services', () => {
    const headless = aService({ name: 'a', resolution: 'passthrough', headless: true });
    const random = rule({ trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } });
    expect(clusters({ service: headless, rule: random })[0]).toMatchObject({
      type: 'ORIGINAL_DST',
      lb_policy: 'CLUSTER_PROVIDED',
    });
    expect(clusters({ service: headless, withoutOriginalDestination: true })[0]).toMatchObject({ type: 'EDS' });
  });

  it.each([
    ['consistent hash', { consistentHash: { useSourceIp: true } }],
    ['maglev', { consistentHash: { useSourceIp: true, maglev: { tableSize: 1021 } } }],
    ['warm-up', { simple: 'ROUND_ROBIN', warmup: { duration: '1s' } } as const],
  ])('says nothing of load balancing where discovery decides: %s', (_what, loadBalancer) => {
    const headless = aService({ name: 'a', resolution: 'passthrough', headless: true });
    const [cluster] = clusters({ service: headless, rule: rule({ trafficPolicy: { loadBalancer } }) });
    expect(cluster?.['lb_policy']).toBe('CLUSTER_PROVIDED');
    expect(Object.keys(cluster ?? {}).filter((key) => key.endsWith('_lb_config'))).toEqual([]);
  });
});

describe('emitStaticClusters', () => {
  it('has the ways out: through, or nowhere', () => {
    const emitted = emitStaticClusters(defaultMeshConfig).map((cluster) => toEnvoyJson(ClusterSchema, cluster));
    expect(emitted).toMatchObject([
      { name: 'PassthroughCluster', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', connect_timeout: '10s' },
      { name: 'BlackHoleCluster', connect_timeout: '10s' },
    ]);
  });
});
