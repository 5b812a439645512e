import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import {
  documents,
  EchoServer,
  httpRoutesYaml,
  istioYaml,
  LoopbackAddresses,
  subsetsYaml,
  TestMesh,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }, { name: 'reviews-v3', labels: { tier: 'gold' } }],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

it.each([
  ['v1', { version: 'v1' }, { 'reviews-v1': 30 }],
  ['gold', { tier: 'gold' }, { 'reviews-v3': 30 }],
  ['both', { tier: 'gold', version: 'v3' }, { 'reviews-v3': 30 }],
])('%s is the endpoints with all of its labels', async (name, labels, counts) => {
  const rule = istioYaml('DestinationRule', 'reviews', { host: 'reviews', subsets: [{ name, labels }] });
  await mesh.apply('rules', documents(rule, httpRoutesYaml('reviews', [{ route: [to('reviews', name)] }])));
  expect(await mesh.split(30, url)).toEqual(counts);
});

it('without endpoints, or without a definition, answers 503', async () => {
  for (const subsets of [['v9'], ['v1']]) {
    const route = httpRoutesYaml('reviews', [{ route: [to('reviews', 'v9')] }]);
    await mesh.apply('rules', documents(subsetsYaml('reviews', subsets), route));
    expect((await mesh.call(url)).status).toBe(503);
  }
});

it('follows a workload of the service that comes with the label', async () => {
  const route = httpRoutesYaml('reviews', [{ route: [to('reviews', 'late')] }]);
  const rule = istioYaml('DestinationRule', 'reviews', {
    host: 'reviews',
    subsets: [{ name: 'late', labels: { tier: 'late' } }],
  });
  await mesh.apply('rules', documents(rule, route));
  expect((await mesh.call(url)).status).toBe(503);
  const addresses = new LoopbackAddresses();
  for (let i = 0; i < 220; i++) addresses.next();
  const address = addresses.next();
  const echo = await EchoServer.listen('late', address, 8080);
  try {
    const labels = { app: 'reviews', tier: 'late' };
    await mesh.apply('late', istioYaml('WorkloadEntry', 'late', { address, labels }));
    expect(await mesh.split(30, url)).toEqual({ late: 30 });
  } finally {
    await echo.close();
  }
});
