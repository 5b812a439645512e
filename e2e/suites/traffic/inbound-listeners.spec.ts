import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { many, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [
      { name: 'reviews-v1', sidecar: true },
      { name: 'reviews-v2', sidecar: true },
    ],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

it('goes from the client’s Envoy through the server’s to its application', async () => {
  const before = await Promise.all(['reviews-v1', 'reviews-v2'].map(inboundRequests));
  const counts = await mesh.split(100, 'http://reviews:8080/');
  const after = await Promise.all(['reviews-v1', 'reviews-v2'].map(inboundRequests));
  expect(after.map((count, i) => count - before[i]!)).toEqual([counts['reviews-v1'], counts['reviews-v2']]);
});

async function inboundRequests(name: string): Promise<number> {
  const stats = await mesh.envoy(name).stats('^cluster\\.inbound.*\\.upstream_rq_total$');
  return [...stats.values()].reduce((sum, value) => sum + value, 0);
}

it('serves callers without an Envoy', async () => {
  const address = mesh.workloads.get('reviews-v1')?.address ?? '';
  const replies = await many(5, async () => (await fetch(`http://${address}:8080/direct`)).json() as Promise<Seen>);
  expect(new Set(replies.map(({ workload }) => workload))).toEqual(new Set(['reviews-v1']));
});

it('carries every kind of body and method', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
    const body = method === 'GET' || method === 'DELETE' ? undefined : 'x'.repeat(200_000);
    const reply = await mesh.call('http://reviews:8080/m', { method, ...(body && { body }) });
    expect(JSON.parse(reply.body)).toMatchObject({ method, body: body ?? '' });
  }
});
