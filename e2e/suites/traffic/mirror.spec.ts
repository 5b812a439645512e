import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { binomialRange, httpRoutesYaml, subsetsYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }, { name: 'reviews-v3' }],
    config: { subsets: subsetsYaml('reviews', ['v1', 'v2', 'v3']) },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const v2 = { host: 'reviews', subset: 'v2' };
const v3 = { host: 'reviews', subset: 'v3' };
const url = 'http://reviews:8080/';
/** Mirrored requests that Envoy has sent on, over all clusters, once nothing is under way any more. */
const settled = async () => {
  const active = () => mesh.client.stats('^cluster\\.outbound.*upstream_rq_active$');
  await poll(async () => [...(await active()).values()].every((value) => value === 0), 'mirrored calls to end');
};

it('copies each request, and answers with the first destination’s', async () => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1')], mirror: v2 }]));
  mesh.echo('reviews-v2').answer = () => ({ status: 500 });
  expect(await mesh.split(200, url)).toEqual({ 'reviews-v1': 200 });
  await settled();
  expect(mesh.echo('reviews-v2').count()).toBe(200);
});

it('copies a share', async () => {
  const mirror = { mirror: v2, mirrorPercentage: { value: 25 } };
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1')], ...mirror }]));
  await mesh.split(1200, url);
  await settled();
  const { low, high } = binomialRange(1200, 0.25);
  expect(mesh.echo('reviews-v2').count()).toBeGreaterThanOrEqual(low);
  expect(mesh.echo('reviews-v2').count()).toBeLessThanOrEqual(high);
});

it('copies to several', async () => {
  const mirrors = [
    { destination: v2, percentage: { value: 100 } },
    { destination: v3, percentage: { value: 100 } },
  ];
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1')], mirrors }]));
  expect(await mesh.split(100, url)).toEqual({ 'reviews-v1': 100 });
  await settled();
  expect(mesh.echo('reviews-v2').count()).toBe(100);
  expect(mesh.echo('reviews-v3').count()).toBe(100);
});

it('copies nothing at 0 percent', async () => {
  const mirror = { mirror: v2, mirrorPercentage: { value: 0 } };
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [to('reviews', 'v1')], ...mirror }]));
  await mesh.split(100, url);
  await settled();
  expect(mesh.echo('reviews-v2').count()).toBe(0);
});
