import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const slow = { delayMs: 1500 };

it('gives up with 504 when the upstream takes longer', async () => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ timeout: '0.2s', route: [to('reviews')] }]));
  mesh.echo('reviews-v1').answer = () => slow;
  const reply = await mesh.call('http://reviews:8080/');
  expect(reply).toMatchObject({ status: 504, body: 'upstream request timeout' });
  expect(mesh.echo('reviews-v1').count()).toBe(1);
});

it('answers in time under a longer timeout', async () => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ timeout: '20s', route: [to('reviews')] }]));
  mesh.echo('reviews-v1').answer = () => slow;
  expect((await mesh.call('http://reviews:8080/')).status).toBe(200);
});

it('has no timeout of its own: waits 16 s, past Envoy’s default of 15 s', async () => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [to('reviews')] }]));
  mesh.echo('reviews-v1').answer = () => ({ delayMs: 16_000 });
  expect((await mesh.call('http://reviews:8080/')).status).toBe(200);
});
