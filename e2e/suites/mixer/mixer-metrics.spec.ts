import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, many, MixerProcess, request, telemetryYaml, TestMesh } from '../../src/index.js';
import { having, inOrder, mixerSamples, proxySamples, type Sample, total } from './mesh-samples.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
const toReviews = { destination_service_name: 'reviews' } as const;
const ofSource = { reporter: 'source', ...toReviews } as const;
const ofDestination = { reporter: 'destination', ...toReviews } as const;

let mesh: TestMesh;
let mixers: readonly [MixerProcess, MixerProcess];
beforeAll(async () => {
  mixers = [await MixerProcess.prepare('mixer-0'), await MixerProcess.prepare('mixer-1')];
  mesh = await TestMesh.start({
    identity: true,
    workloads: [{ name: 'reviews-v1', sidecar: true }, { name: 'plain-v1' }],
    services: [{ name: 'store', ports: [{ name: 'tcp', port: 8081, targetPort: 8080 }], selector: { app: 'plain' } }],
    config: {
      mixer: documents(mixers[0].yaml, mixers[1].podYaml),
      telemetry: telemetryYaml('counted', {
        metrics: [{ providers: [{ name: 'prometheus' }, { name: 'mixer' }], reportingInterval: '1s' }],
      }),
    },
  });
  await Promise.all(mixers.map((mixer) => mixer.start(mesh.identity)));
});
afterAll(async () => {
  await Promise.all(mixers.map((mixer) => mixer.stop()));
  await mesh.stop();
});

/** What both have counted, as Prometheus would sum it up. */
async function counted(all: readonly MixerProcess[] = mixers): Promise<readonly Sample[]> {
  const each = (await Promise.all(all.map(({ adminAddress }) => mixerSamples(adminAddress)))).flat();
  const sums = new Map<string, Sample>();
  for (const sample of each) {
    const key = `${sample.name} ${JSON.stringify(sample.labels)}`;
    sums.set(key, { ...sample, value: sample.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

/** Waits until both reporters have told of so many requests. */
async function untilCounted(requests: number): Promise<readonly Sample[]> {
  let samples = await counted();
  await poll(
    async () => {
      samples = await counted();
      return [ofSource, ofDestination].every((labels) => total(samples, 'requests_total', labels) >= requests);
    },
    `${requests} requests to be counted`,
    60_000,
  );
  return samples;
}

it('counts 100 requests as 100 at both reporters, by the same labels as the proxies count by themselves', async () => {
  await many(90, () => mesh.call(url));
  await many(10, () => mesh.call(url, { method: 'POST', body: 'x'.repeat(1000) }));
  const samples = await untilCounted(100);
  const own = [...(await proxySamples(mesh.client)), ...(await proxySamples(mesh.envoy('reviews-v1')))];
  for (const labels of [ofSource, ofDestination]) {
    expect(total(samples, 'requests_total', labels)).toBe(100);
    expect(inOrder(having(samples, 'requests_total', labels))).toEqual(inOrder(having(own, 'requests_total', labels)));
  }
  expect(having(samples, 'requests_total', ofDestination)[0]?.labels).toMatchObject({
    source_workload: 'client',
    source_principal: 'spiffe://cluster.local/ns/default/sa/client',
    destination_workload: 'reviews-v1',
    connection_security_policy: 'mutual_tls',
    response_code: '200',
  });
});

it('measures the same bytes and as many times as the proxies', async () => {
  const samples = await counted();
  for (const metric of ['request_duration_milliseconds', 'request_bytes', 'response_bytes']) {
    expect(total(samples, `${metric}_count`, ofSource)).toBe(100);
    expect(total(samples, `${metric}_bucket`, { ...ofSource, le: '+Inf' })).toBe(100);
  }
  const sums = async () => {
    const own = await proxySamples(mesh.client);
    return ['request_bytes_sum', 'response_bytes_sum'].map((name) => total(own, name, ofSource));
  };
  // Envoy shows histograms after its flush.
  await poll(async () => (await sums()).every((sum) => sum > 0), 'Envoy’s histograms', 30_000);
  const [received = 0, sent = 0] = await sums();
  expect(total(samples, 'request_bytes_sum', ofSource)).toBe(10_000);
  // Envoy's histograms are approximate, by less than a tenth.
  expect(Math.abs(received - 10_000)).toBeLessThan(1000);
  expect(Math.abs(sent / total(samples, 'response_bytes_sum', ofSource) - 1)).toBeLessThan(0.1);
});

it('counts connections and their bytes as the proxies do', async () => {
  const toStore = { reporter: 'source', destination_service_name: 'store' } as const;
  const address = await mesh.loopbackOf(8081);
  await many(5, () => request(address, 8081, '/', { headers: { host: 'store', connection: 'close' } }), 1);
  await poll(
    async () => total(await counted(), 'tcp_connections_closed_total', toStore) === 5,
    'five connections to be counted',
    30_000,
  );
  const [samples, own] = [await counted(), await proxySamples(mesh.client)];
  for (const name of ['opened', 'closed'].map((event) => `tcp_connections_${event}_total`))
    expect(inOrder(having(samples, name, toStore))).toEqual(inOrder(having(own, name, toStore)));
  for (const name of ['tcp_sent_bytes_total', 'tcp_received_bytes_total'])
    expect(total(samples, name, toStore)).toBe(total(own, name, toStore));
});

it('goes on with the other mixer when one is killed, and no request waits for either', async () => {
  const [killed, left] = mixers;
  const told = async (code: string) => {
    const now = await counted([left]);
    return [ofSource, ofDestination].map((labels) => total(now, 'requests_total', { ...labels, response_code: code }));
  };
  const statuses = new Set<number>();
  const call = async () => statuses.add((await mesh.call(url)).status);
  const before = await told('200');
  await killed.stop('SIGKILL');
  // What is logged until both proxies have a stream to the one that is left may be lost.
  await poll(
    async () => {
      await call();
      return (await told('200')).every((requests, i) => requests > (before[i] ?? 0));
    },
    'the other mixer to be told',
    60_000,
  );
  mesh.echo('reviews-v1').answer = () => ({ status: 418 });
  await many(100, call);
  await poll(
    async () => (await told('418')).every((requests) => requests >= 100),
    '100 requests to be counted',
    60_000,
  );
  expect(await told('418')).toEqual([100, 100]);
  await left.stop('SIGKILL');
  await many(50, call);
  expect([...statuses].sort()).toEqual([200, 418]);
});
