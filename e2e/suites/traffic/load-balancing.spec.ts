import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { binomialRange, istioYaml, many, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }, { name: 'reviews-v3' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const apply = (loadBalancer: unknown) =>
  mesh.apply('reviews', istioYaml('DestinationRule', 'reviews', { host: 'reviews', trafficPolicy: { loadBalancer } }));
const workloadOf = async () => (JSON.parse((await mesh.call(url)).body) as Seen).workload;

it('ROUND_ROBIN takes turns', async () => {
  await apply({ simple: 'ROUND_ROBIN' });
  const order = await many(30, () => workloadOf(), 1);
  for (let i = 3; i < order.length; i++) expect(order[i]).toBe(order[i - 3]);
  expect(new Set(order).size).toBe(3);
});

it('RANDOM spreads within the binomial bound', async () => {
  await apply({ simple: 'RANDOM' });
  const counts = await mesh.split(1200, url);
  const { low, high } = binomialRange(1200, 1 / 3);
  for (const name of ['reviews-v1', 'reviews-v2', 'reviews-v3']) {
    expect(counts[name]).toBeGreaterThanOrEqual(low);
    expect(counts[name]).toBeLessThanOrEqual(high);
  }
});

it('LEAST_REQUEST avoids a host that is busy', async () => {
  await apply({ simple: 'LEAST_REQUEST' });
  mesh.echo('reviews-v1').answer = () => ({ delayMs: 1000 });
  const counts = await mesh.split(300, url);
  expect(counts['reviews-v1'] ?? 0).toBeLessThan(100);
});
