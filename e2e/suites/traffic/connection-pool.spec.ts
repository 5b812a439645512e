import http2 from 'node:http2';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { documents, httpRoutesYaml, istioYaml, many, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
/** A counter of the client's cluster of the service. */
async function counter(name: string): Promise<number> {
  const stats = await mesh.client.stats(`^cluster\\.outbound\\|8080\\|\\|reviews\\..*\\.${name}$`);
  expect(stats.size).toBe(1);
  return [...stats.values()][0]!;
}
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const apply = (connectionPool: unknown) =>
  mesh.apply(
    'reviews',
    istioYaml('DestinationRule', 'reviews', { host: 'reviews', trafficPolicy: { connectionPool } }),
  );

it('refuses what is over one connection and one waiting request', async () => {
  await apply({ tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } });
  const before = await counter('upstream_rq_pending_overflow');
  mesh.echo('reviews-v1').answer = () => ({ delayMs: 300 });
  const replies = await many(12, () => mesh.call(url), 12);
  const refused = replies.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(0);
  expect(replies.filter(({ status }) => status === 200).length).toBe(12 - refused.length);
  expect(refused.every(({ headers }) => headers['x-envoy-overloaded'] === 'true')).toBe(true);
  expect((await counter('upstream_rq_pending_overflow')) - before).toBe(refused.length);
});

it('takes them all without limits', async () => {
  await apply({ http: { http2MaxRequests: 10_000 } });
  mesh.echo('reviews-v1').answer = () => ({ delayMs: 100 });
  const replies = await many(50, () => mesh.call(url), 50);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
});

it('closes a connection after maxRequestsPerConnection', async () => {
  await apply({ http: { maxRequestsPerConnection: 1 } });
  const before = await counter('upstream_cx_total');
  await many(10, () => mesh.call(url), 1);
  expect((await counter('upstream_cx_total')) - before).toBe(10);
});

it('calls a destination by HTTP/2 where the rule upgrades it', async () => {
  const upstream = '127.77.5.2';
  // It speaks HTTP/2 with prior knowledge, and nothing else.
  const server = http2.createServer((request, response) => response.end(`HTTP/${request.httpVersion}`));
  await new Promise<void>((resolve) => server.listen(8080, upstream, resolve));
  try {
    await mesh.apply(
      'upgraded',
      documents(
        istioYaml('ServiceEntry', 'upgraded', {
          hosts: ['upgraded.example.com'],
          ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
          resolution: 'STATIC',
          endpoints: [{ address: upstream }],
        }),
        istioYaml('DestinationRule', 'upgraded', {
          host: 'upgraded.example.com',
          trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } },
        }),
      ),
    );
    expect(await mesh.call('http://upgraded.example.com/')).toMatchObject({ status: 200, body: 'HTTP/2.0' });
  } finally {
    await mesh.remove('upgraded');
    server.close();
  }
});

it('retries no more than the budget allows', async () => {
  const calls = 30;
  await mesh.apply(
    'reviews',
    documents(
      istioYaml('DestinationRule', 'reviews', {
        host: 'reviews',
        trafficPolicy: { retryBudget: { percent: 1, minRetryConcurrency: 1 } },
      }),
      httpRoutesYaml('reviews', [{ route: [to('reviews')], retries: { attempts: 1, retryOn: '503' } }]),
    ),
  );
  const before = await counter('upstream_rq_retry_overflow');
  mesh.echo('reviews-v1').answer = () => ({ status: 503, delayMs: 300 });
  const replies = await many(calls, () => mesh.call(url), calls);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
  const retried = mesh.echo('reviews-v1').seen.length - calls;
  expect(retried).toBeLessThan(calls);
  expect((await counter('upstream_rq_retry_overflow')) - before).toBe(calls - retried);
});
