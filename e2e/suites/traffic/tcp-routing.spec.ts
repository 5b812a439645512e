import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import {
  binomialRange,
  documents,
  istioYaml,
  many,
  request,
  type Seen,
  subsetsYaml,
  TestMesh,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'store-v1' }, { name: 'store-v2' }],
    services: [{ name: 'store', ports: [{ name: 'tcp', port: 7000, targetPort: 8080 }] }],
    config: { subsets: subsetsYaml('store', ['v1', 'v2']) },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

/** One connection a call. */
const workloadOf = async (address: string) =>
  (JSON.parse((await request(address, 7000, '/', { headers: { connection: 'close' } })).body) as Seen).workload;

it('gives a TCP service an address of its own, and reaches all of its endpoints', async () => {
  const address = await mesh.loopbackOf(7000);
  const seen = await many(60, () => workloadOf(address));
  expect([...new Set(seen)].sort()).toEqual(['store-v1', 'store-v2']);
});

it('splits connections by weight', async () => {
  const tcp = [{ match: [{ port: 7000 }], route: [to('store', 'v1', 75), to('store', 'v2', 25)] }];
  await mesh.apply('store', documents(istioYaml('VirtualService', 'store', { hosts: ['store'], tcp })));
  const address = await mesh.loopbackOf(7000);
  const seen = await many(1000, () => workloadOf(address));
  const { low, high } = binomialRange(1000, 0.25);
  const second = seen.filter((workload) => workload === 'store-v2').length;
  expect(second).toBeGreaterThanOrEqual(low);
  expect(second).toBeLessThanOrEqual(high);
});

const tcpPolicy = (trafficPolicy: object) => istioYaml('DestinationRule', 'store', { host: 'store', trafficPolicy });

it('closes connections on which nothing happens', async () => {
  await mesh.apply('store', '');
  await mesh.apply('subsets', tcpPolicy({ connectionPool: { tcp: { idleTimeout: '1s' } } }));
  const socket = net.connect(7000, await mesh.loopbackOf(7000));
  // Nobody but Envoy would ever end it.
  await once(socket, 'close');
});

it('keeps the connections of one address on one endpoint', async () => {
  await mesh.apply('subsets', tcpPolicy({ loadBalancer: { consistentHash: { useSourceIp: true } } }));
  const address = await mesh.loopbackOf(7000);
  const seen = await many(40, () => workloadOf(address));
  expect(new Set(seen).size).toBe(1);
});
