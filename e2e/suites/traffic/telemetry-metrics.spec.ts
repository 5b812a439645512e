import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { type Envoy, many, request, telemetryYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1', sidecar: true }, { name: 'plain-v1' }],
    services: [{ name: 'store', ports: [{ name: 'tcp', port: 8081, targetPort: 8080 }], selector: { app: 'plain' } }],
  });
});
afterAll(() => mesh.stop());

/** Calls until something holds: connections that were open when a listener changed are counted as before until they are drained. */
const settle = (holds: () => Promise<boolean>) =>
  poll(
    async () => {
      await mesh.call(url);
      return await holds();
    },
    'the change to be in force',
    60_000,
  );

type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** The samples of one metric, as Prometheus would scrape them from an Envoy. */
async function samples(envoy: Envoy, metric: string): Promise<readonly Sample[]> {
  const text = await envoy.admin('/stats/prometheus?filter=istio_');
  return text.split('\n').flatMap((line) => {
    const [, name, list, value] = /^envoy_seine_(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (name !== metric) return [];
    const labels = [...(list ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key, label] as const);
    return [{ labels: Object.fromEntries(labels) as Labels, value: Number(value) }];
  });
}

const reviewsService = {
  destination_service: 'reviews.default.svc.cluster.local',
  destination_service_name: 'reviews',
  destination_service_namespace: 'default',
};
const reviewsWorkload = {
  destination_workload: 'reviews-v1',
  destination_workload_namespace: 'default',
  destination_app: 'reviews',
  destination_version: 'v1',
  destination_canonical_service: 'reviews',
  destination_canonical_revision: 'v1',
};
const http = {
  request_protocol: 'http',
  response_code: '200',
  response_flags: '-',
  grpc_response_status: '',
  source_principal: '',
  destination_principal: '',
};

describe('metrics', () => {
  it('count the requests on both sides, with Istio’s labels', async () => {
    await many(7, () => mesh.call(url), 1);
    expect(await samples(mesh.client, 'istio_requests_total')).toEqual([
      {
        value: 7,
        labels: {
          reporter: 'source',
          source_workload: 'client',
          source_workload_namespace: 'default',
          source_app: 'client',
          source_version: 'unknown',
          source_canonical_service: 'client',
          source_canonical_revision: 'latest',
          source_cluster: 'unknown',
          ...reviewsWorkload,
          ...reviewsService,
          destination_cluster: 'unknown',
          ...http,
          connection_security_policy: 'unknown',
        },
      },
    ]);
    expect(await samples(mesh.envoy('reviews-v1'), 'istio_requests_total')).toEqual([
      {
        value: 7,
        labels: {
          reporter: 'destination',
          source_workload: 'unknown',
          source_workload_namespace: 'unknown',
          source_app: 'unknown',
          source_version: 'unknown',
          source_canonical_service: 'unknown',
          source_canonical_revision: 'unknown',
          source_cluster: 'unknown',
          ...reviewsWorkload,
          ...reviewsService,
          destination_cluster: 'unknown',
          ...http,
          connection_security_policy: 'none',
        },
      },
    ]);
  });

  it('measure times and sizes', async () => {
    // Envoy shows histograms after its flush.
    const counted = async (metric: string) =>
      (await samples(mesh.client, metric)).reduce((sum, { value }) => sum + value, 0);
    for (const metric of ['request_duration_milliseconds', 'request_bytes', 'response_bytes'])
      await poll(async () => (await counted(`istio_${metric}_count`)) >= 7, `the histogram of ${metric}`, 30_000);
    await mesh.call(url, { method: 'POST', body: 'x'.repeat(1000) });
    await poll(async () => (await counted('istio_request_bytes_sum')) >= 1000, 'the bytes of the body', 30_000);
  });

  it('count connections of TCP services and their bytes', async () => {
    const address = await mesh.loopbackOf(8081);
    await many(3, () => request(address, 8081, '/', { headers: { host: 'store', connection: 'close' } }), 1);
    const total = async (metric: string) =>
      (await samples(mesh.client, metric))
        .filter(({ labels }) => labels['destination_service_name'] === 'store')
        .reduce((sum, { value }) => sum + value, 0);
    await poll(async () => (await total('istio_tcp_connections_closed_total')) === 3, 'three connections to end');
    expect(await total('istio_tcp_connections_opened_total')).toBe(3);
    expect(await total('istio_tcp_received_bytes_total')).toBeGreaterThan(100);
    expect(await total('istio_tcp_sent_bytes_total')).toBeGreaterThan(100);
    const [sample] = await samples(mesh.client, 'istio_tcp_connections_opened_total');
    expect(sample?.labels).toMatchObject({ request_protocol: 'tcp', destination_workload: 'plain-v1' });
  });

  it('have the tags that a Telemetry adds, and not those that it takes away', async () => {
    await mesh.apply(
      'telemetry',
      telemetryYaml('tags', {
        metrics: [
          {
            providers: [{ name: 'prometheus' }],
            overrides: [
              {
                match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' },
                tagOverrides: {
                  request_path: { value: 'request.path' },
                  upstream_port: { value: 'string(upstream.port)' },
                  team: { value: "'books'" },
                  source_cluster: { operation: 'REMOVE' },
                },
              },
            ],
          },
        ],
      }),
    );
    const counted = async (asked: string) =>
      (await samples(mesh.client, 'istio_requests_total')).filter(({ labels }) => labels['request_path'] === asked);
    await settle(async () => (await counted('/')).length > 0);
    await many(2, () => mesh.call(`${url}tagged`), 1);
    const tagged = await counted('/tagged');
    expect(tagged).toEqual([
      { value: 2, labels: expect.objectContaining({ request_path: '/tagged', upstream_port: '8080', team: 'books' }) },
    ]);
    expect(tagged[0]?.labels).not.toHaveProperty('source_cluster');
  });

  it('end where a Telemetry disables them', async () => {
    await mesh.apply(
      'telemetry',
      telemetryYaml('off', {
        metrics: [
          {
            providers: [{ name: 'prometheus' }],
            overrides: [{ match: { metric: 'ALL_METRICS', mode: 'SERVER' }, disabled: true }],
          },
        ],
      }),
    );
    const total = async (envoy: Envoy) =>
      (await samples(envoy, 'istio_requests_total')).reduce((sum, { value }) => sum + value, 0);
    let last = 0;
    await settle(async () => last === (last = await total(mesh.envoy('reviews-v1'))));
    const before = [await total(mesh.client), await total(mesh.envoy('reviews-v1'))] as const;
    await many(4, () => mesh.call(url), 1);
    expect(await total(mesh.client)).toBe(before[0] + 4);
    expect(await total(mesh.envoy('reviews-v1'))).toBe(before[1]);
  });
});
