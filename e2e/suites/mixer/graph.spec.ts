import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { GraphEdge, ServiceGraph } from '@seine/service-graph';
import { poll } from '@seine/testing';
import {
  documents,
  httpRoutesYaml,
  many,
  MixerProcess,
  RedisServer,
  request,
  seinectl,
  telemetryYaml,
  TestMesh,
  to,
} from '../../src/index.js';

jest.setTimeout(240_000);
/** productpage asks reviews, and version 2 of it asks ratings, whose answer it can do without. */
const url = 'http://productpage:8080/api/v1/products/0/reviews';
const hops = ['client > productpage-v1', 'productpage-v1 > reviews-v2', 'reviews-v2 > ratings-v1'] as const;

let redis: RedisServer;
let mixers: readonly [MixerProcess, MixerProcess];
let mesh: TestMesh;
beforeAll(async () => {
  redis = await RedisServer.start();
  mixers = [await MixerProcess.prepare('mixer-0'), await MixerProcess.prepare('mixer-1')];
  mesh = await TestMesh.start({
    identity: true,
    workloads: [
      { name: 'productpage-v1', sidecar: true, sample: 'productpage' },
      { name: 'reviews-v2', sidecar: true, sample: 'reviews' },
      { name: 'ratings-v1', sidecar: true, sample: 'ratings' },
      { name: 'plain-v1' },
    ],
    services: [{ name: 'store', ports: [{ name: 'tcp', port: 8081, targetPort: 8080 }], selector: { app: 'plain' } }],
    config: {
      mixer: documents(mixers[0].yaml, mixers[1].podYaml),
      telemetry: telemetryYaml('logged', { accessLogging: [{ providers: [{ name: 'mixer' }] }] }),
    },
  });
  await Promise.all(mixers.map((mixer) => mixer.start(mesh.identity, ['--redis', redis.url])));
});
afterAll(async () => {
  await redis.stop();
  await Promise.all(mixers.map((mixer) => mixer.stop()));
  await mesh.stop();
});

const named = ({ source, destination }: GraphEdge) => `${source.workload} > ${destination.workload}`;

async function graphOf(mixer: MixerProcess = mixers[0], query = 'since=10m'): Promise<ServiceGraph> {
  return (await (await fetch(`http://${mixer.adminAddress}/graph?${query}`)).json()) as ServiceGraph;
}

async function edgesOf(mixer?: MixerProcess): Promise<ReadonlyMap<string, GraphEdge>> {
  return new Map((await graphOf(mixer)).edges.map((edge) => [named(edge), edge]));
}

/** Waits until both proxies of these edges have told mixer of so many requests: they do about a second later. */
async function untilCounted(requests: Readonly<Record<string, number>>, mixer?: MixerProcess): Promise<void> {
  await poll(
    async () => {
      const edges = await edgesOf(mixer);
      return Object.entries(requests).every(([name, count]) => {
        const edge = edges.get(name);
        return edge?.reporter === 'destination' && edge.requests >= count;
      });
    },
    `the graph to have ${JSON.stringify(requests)}`,
    60_000,
  );
}

const nameById = (graph: ServiceGraph, id: string | null) => graph.edges.filter((edge) => edge.id === id).map(named)[0];
/** At once: more would wait for each other in the sample, which is one process here. */
const few = 5;
const call = async (user = 'nobody') => (await mesh.call(url, { headers: { 'end-user': user } })).status;
const forUser = (user: string) => [{ headers: { 'end-user': { exact: user } } }];
const statuses = (all: readonly number[]) => [...new Set(all)];

describe('the service graph', () => {
  it('has the edges of the calls that were made, each counted once, at any mixer', async () => {
    expect(statuses(await many(60, () => call(), few))).toEqual([200]);
    for (const mixer of mixers) {
      await untilCounted(Object.fromEntries(hops.map((hop) => [hop, 60])), mixer);
      const graph = await graphOf(mixer);
      expect(graph.problems).toEqual([]);
      expect(graph.edges.map(named)).toEqual([...hops]);
      for (const edge of graph.edges) {
        expect(edge).toMatchObject({
          protocol: 'http',
          reporter: 'destination',
          requests: 60,
          errors: { total: 0 },
          responseCodes: { 200: 60 },
          mutualTls: 1,
        });
        const seconds = (Date.parse(graph.to) - Date.parse(graph.from)) / 1000;
        expect(Math.abs(edge.rate - 60 / seconds)).toBeLessThan(0.01);
        expect(edge.latency?.p50).toBeLessThanOrEqual(edge.latency?.p99 ?? 0);
      }
    }
    const [first, , last] = (await graphOf()).edges as [GraphEdge, GraphEdge, GraphEdge];
    expect(first.service).toBe('productpage.default.svc.cluster.local');
    expect(last).toMatchObject({ source: { app: 'reviews', version: 'v2', namespace: 'default' } });
    // Both mixers were told something: their counts add up.
    expect((await graphOf()).replicas).toBe(2);
  });

  it('names the hop at which 300 ms are lost, first', async () => {
    const fault = { delay: { percentage: { value: 100 }, fixedDelay: '300ms' } };
    await mesh.apply(
      'slow',
      httpRoutesYaml('reviews', [
        { match: forUser('slow'), fault, route: [to('reviews')] },
        { route: [to('reviews')] },
      ]),
    );
    expect(statuses(await many(60, () => call('slow'), few))).toEqual([200]);
    await untilCounted(Object.fromEntries(hops.map((hop) => [hop, 120])));
    const graph = await graphOf();
    expect(nameById(graph, graph.worst.latency)).toBe(hops[1]);
    const slow = graph.edges.find((edge) => named(edge) === hops[1]);
    expect(slow?.own.latency).toBeGreaterThan(100);
    // Half of the calls were slow: all percentiles above say so.
    expect(slow?.latency?.p95).toBeGreaterThanOrEqual(297);
    const table = await seinectl('graph', '--mixer-admin', mixers[1].adminAddress, '--since', '10m');
    expect(table.split('\n')[1]).toMatch(/^productpage-v1\.default +reviews-v2\.default /);
    expect(table).toMatch(/^slowest: productpage-v1\.default -> reviews-v2\.default: \d+ ms of its own/m);
  });

  it('names the hop that fails, and counts what never arrived', async () => {
    const fault = { abort: { percentage: { value: 100 }, httpStatus: 503 } };
    await mesh.apply(
      'failing',
      httpRoutesYaml('ratings', [
        { match: forUser('failing'), fault, route: [to('ratings')] },
        { route: [to('ratings')] },
      ]),
    );
    await many(20, () => call('failing'));
    // No endpoint was chosen: which workload it would have been nobody knows.
    const failed = 'reviews-v2 > unknown';
    await poll(async () => ((await edgesOf()).get(failed)?.requests ?? 0) >= 20, 'the failures to be counted', 60_000);
    const graph = await graphOf();
    expect(graph.edges.find((edge) => named(edge) === failed)).toMatchObject({
      service: 'ratings.default.svc.cluster.local',
      requests: 20,
      errors: { total: 20, share: 1, server: 20 },
      responseCodes: { 503: 20 },
      responseFlags: { FI: 20 },
      own: { errors: 20 },
    });
    expect(nameById(graph, graph.worst.errors)).toBe(failed);
    const table = await seinectl('graph', '--mixer-admin', mixers[0].adminAddress, '--since', '10m', '-n', 'default');
    expect(table.split('\n')[1]).toMatch(
      /^reviews-v2\.default +unknown +ratings\.default\.svc\.cluster\.local .* 100\.0% /,
    );
    expect(table).toMatch(
      /^most errors: reviews-v2\.default -> ratings\.default\.svc\.cluster\.local: 20 of 20 requests failed/m,
    );
    const dot = await seinectl('graph', '--mixer-admin', mixers[0].adminAddress, '-o', 'dot');
    expect(dot).toMatch(/"reviews-v2\.default" -> "unknown\.default" \[label=".*", color=red/);
  });

  it('counts connections, and what they carry, of a service without a proxy', async () => {
    const address = await mesh.loopbackOf(8081);
    const headers = { host: 'store', connection: 'close' };
    await many(5, () => request(address, 8081, '/', { headers }), 1);
    const edge = async () => (await edgesOf()).get('client > plain-v1');
    await poll(async () => (await edge())?.connections?.closed === 5, 'five connections to be counted', 60_000);
    expect(await edge()).toMatchObject({
      service: 'store.default.svc.cluster.local',
      protocol: 'tcp',
      reporter: 'source',
      requests: 0,
      connections: { opened: 5, closed: 5 },
      errors: { total: 0 },
      latency: null,
      mutualTls: 0,
    });
    expect((await edge())?.responseBytes).toBeGreaterThan(500);
  });
});
