import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { binomialRange, httpRoutesYaml, many, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const url = 'http://reviews:8080/';
const apply = (fault: unknown) => mesh.apply('reviews', httpRoutesYaml('reviews', [{ fault, route: [to('reviews')] }]));

it('aborts every request, none of which reaches the upstream', async () => {
  await apply({ abort: { httpStatus: 555, percentage: { value: 100 } } });
  const replies = await many(50, () => mesh.call(url));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([555]));
  expect(mesh.echo('reviews-v1').count()).toBe(0);
});

it('aborts a share', async () => {
  await apply({ abort: { httpStatus: 400, percentage: { value: 30 } } });
  const replies = await many(1200, () => mesh.call(url));
  const aborted = replies.filter(({ status }) => status === 400).length;
  const { low, high } = binomialRange(1200, 0.3);
  expect(aborted).toBeGreaterThanOrEqual(low);
  expect(aborted).toBeLessThanOrEqual(high);
  expect(mesh.echo('reviews-v1').count()).toBe(1200 - aborted);
});

it('delays every request', async () => {
  await apply({ delay: { fixedDelay: '0.4s', percentage: { value: 100 } } });
  const replies = await many(10, () => mesh.call(url));
  for (const { status, took } of replies) {
    expect(status).toBe(200);
    // Loosely: a delay can only be longer than asked for, but for the coarseness of timers.
    expect(took).toBeGreaterThan(350);
  }
});

it('delays and aborts what one route takes, and nothing of another', async () => {
  const fault = { abort: { httpStatus: 500, percentage: { value: 100 } } };
  await mesh.apply(
    'reviews',
    httpRoutesYaml('reviews', [
      { match: [{ headers: { 'end-user': { exact: 'jason' } } }], fault, route: [to('reviews')] },
      { route: [to('reviews')] },
    ]),
  );
  expect((await mesh.call(url, { headers: { 'end-user': 'jason' } })).status).toBe(500);
  expect((await mesh.call(url)).status).toBe(200);
});
