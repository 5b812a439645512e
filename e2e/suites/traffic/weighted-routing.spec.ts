import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { binomialRange, httpRoutesYaml, subsetsYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
const calls = 1200;
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }, { name: 'reviews-v3' }],
    config: { subsets: subsetsYaml('reviews', ['v1', 'v2', 'v3']) },
  });
});
afterAll(() => mesh.stop());

describe.each<[string, Record<string, number>]>([
  ['80/20', { v1: 80, v3: 20 }],
  ['50/30/20', { v1: 50, v2: 30, v3: 20 }],
  ['100/0', { v1: 100, v2: 0 }],
  ['1/99', { v1: 1, v2: 99 }],
  ['weights that do not add up to 100', { v1: 1, v2: 3 }],
])('%s', (_, weights) => {
  it(`splits ${calls} requests within the binomial bound`, async () => {
    const route = Object.entries(weights).map(([subset, weight]) => to('reviews', subset, weight));
    await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route }]));
    const counts = await mesh.split(calls, url);
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    for (const [subset, weight] of Object.entries(weights)) {
      const { low, high } = binomialRange(calls, weight / total);
      expect(counts[`reviews-${subset}`] ?? 0).toBeGreaterThanOrEqual(low);
      expect(counts[`reviews-${subset}`] ?? 0).toBeLessThanOrEqual(high);
    }
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(calls);
  });
});

it('spreads over all endpoints when the VirtualService goes', async () => {
  await mesh.remove('reviews');
  const counts = await mesh.split(300, url);
  expect(Object.keys(counts).sort()).toEqual(['reviews-v1', 'reviews-v2', 'reviews-v3']);
});

it('keeps routing while weights move under load, without one failed request', async () => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1')] }]));
  let failed = 0;
  let running = true;
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (running) if ((await mesh.call(url)).status !== 200) failed++;
    }),
  );
  for (let weight = 10; weight <= 100; weight += 10)
    await mesh.apply(
      'reviews',
      httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1', 100 - weight), to('reviews', 'v2', weight)] }]),
    );
  running = false;
  await load;
  expect(failed).toBe(0);
  expect(await mesh.split(50, url)).toEqual({ 'reviews-v2': 50 });
});
