import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { documents, httpRoutesYaml, istioYaml, type Seen, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'orders-v1', namespace: 'shop' }],
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const workloadOf = async (url: string) => {
  const { status, body } = await mesh.call(url);
  return status === 200 ? (JSON.parse(body) as Seen).workload : status;
};

describe('without any rule', () => {
  it.each([
    ['its short name', 'http://reviews:8080/', 'reviews-v1'],
    ['name and namespace', 'http://reviews.default:8080/', 'reviews-v1'],
    ['.svc', 'http://reviews.default.svc:8080/', 'reviews-v1'],
    ['its whole name', 'http://reviews.default.svc.cluster.local:8080/', 'reviews-v1'],
    ['a name of another namespace', 'http://orders.shop:8080/', 'orders-v1'],
  ])('a service is found by %s', async (_, url, workload) => {
    expect(await workloadOf(url)).toBe(workload);
  });

  it('a short name is one of the caller’s own namespace', async () => {
    expect(await workloadOf('http://orders:8080/')).not.toBe('orders-v1');
  });
});

it('takes the first route of several VirtualServices of a host by age, and every host of one', async () => {
  const spec = (marker: string) => ({
    hosts: ['reviews', 'orders.shop.svc.cluster.local'],
    http: [{ headers: { request: { set: { marker } } }, route: [to('reviews')] }],
  });
  await mesh.apply('rules', istioYaml('VirtualService', 'both', spec('one')));
  expect(await workloadOf('http://orders.shop:8080/')).toBe('reviews-v1');
  expect(await workloadOf('http://reviews:8080/')).toBe('reviews-v1');
  expect(mesh.echo('reviews-v1').seen.map(({ headers }) => headers['marker'])).toEqual(['one', 'one']);
});

it('answers 503 for a destination that does not exist, and goes on with the rest', async () => {
  const http = [{ match: [{ uri: { prefix: '/gone' } }], route: [to('nobody')] }, { route: [to('reviews')] }];
  await mesh.apply('rules', documents(httpRoutesYaml('reviews', http)));
  expect(await workloadOf('http://reviews:8080/gone')).toBe(503);
  expect(await workloadOf('http://reviews:8080/')).toBe('reviews-v1');
});
