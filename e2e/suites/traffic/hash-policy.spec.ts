import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { istioYaml, many, type RequestOptions, type Seen, TestMesh } from '../../src/index.js';

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
const workloadOf = async (options?: RequestOptions) =>
  (JSON.parse((await mesh.call(url, options)).body) as Seen).workload;

describe('consistentHash', () => {
  const users = Array.from({ length: 60 }, (_, i) => `user-${i}`);

  it.each<[string, unknown, (user: string) => RequestOptions, (user: string) => string]>([
    ['a header', { httpHeaderName: 'x-user' }, (user) => ({ headers: { 'x-user': user } }), () => url],
    ['a query parameter', { httpQueryParameterName: 'user' }, () => ({}), (user) => `${url}?user=${user}`],
    [
      'a cookie',
      { httpCookie: { name: 'user', ttl: '0s' } },
      (user) => ({ headers: { cookie: `user=${user}` } }),
      () => url,
    ],
    [
      'a header on a ring',
      { httpHeaderName: 'x-user', ringHash: { minimumRingSize: 1024 } },
      (user) => ({ headers: { 'x-user': user } }),
      () => url,
    ],
    [
      'a header with Maglev',
      { httpHeaderName: 'x-user', maglev: { tableSize: 65537 } },
      (user) => ({ headers: { 'x-user': user } }),
      () => url,
    ],
  ])('of %s sends a user to one host, and users to all', async (_, consistentHash, options, target) => {
    await apply({ consistentHash });
    const hosts = new Map<string, Set<string>>();
    for (const user of users)
      for (const { body } of await many(4, () => mesh.call(target(user), options(user)))) {
        const found = hosts.get(user) ?? new Set<string>();
        hosts.set(user, found.add((JSON.parse(body) as Seen).workload));
      }
    expect([...hosts.values()].every((found) => found.size === 1)).toBe(true);
    expect(new Set([...hosts.values()].flatMap((found) => [...found])).size).toBe(3);
  });

  it('gives a caller without the cookie one', async () => {
    await apply({ consistentHash: { httpCookie: { name: 'session', ttl: '60s', path: '/' } } });
    const first = await mesh.call(url);
    const cookie = /session="?([^";]+)/.exec(first.headers['set-cookie']?.[0] ?? '')?.[1];
    expect(cookie).toBeTruthy();
    const { workload } = JSON.parse(first.body) as Seen;
    const later = await many(20, () => workloadOf({ headers: { cookie: `session=${cookie ?? ''}` } }));
    expect(new Set(later)).toEqual(new Set([workload]));
  });
});
