import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { istioYaml, many, TestMesh } from '../../src/index.js';

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
