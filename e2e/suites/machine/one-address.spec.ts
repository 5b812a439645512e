import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { LaptopMesh, type LaptopWorkload, request } from '../../src/index.js';

jest.setTimeout(300_000);

// The layout of systems on which 127.0.0.1 is the only loopback address that can be bound (macOS).
const mesh = new LaptopMesh();
let workloads: readonly LaptopWorkload[] = [];
beforeAll(async () => {
  process.env['SEINE_LOOPBACK'] = '127.0.0.1';
  await mesh.start();
  workloads = await mesh.workloads();
});
afterAll(async () => {
  delete process.env['SEINE_LOOPBACK'];
  await mesh.interrupt();
  mesh.remove();
});

it('has everything on 127.0.0.1, each workload on a port of its own', () => {
  expect(new Set(workloads.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
  expect(new Set(workloads.map(({ inboundPort }) => inboundPort)).size).toBe(workloads.length);
});

it('serves the page, and all versions behind it', async () => {
  const { status, body } = await mesh.get('/productpage');
  expect([status, body.includes('William Shakespeare')]).toEqual([200, true]);
  expect(Object.keys(await mesh.reviews(60)).sort()).toEqual(['v1', 'v2', 'v3']);
});

it('gives each Envoy the ports of its own workload', async () => {
  const sidecars = workloads.filter(({ service }) => service !== 'istio-ingressgateway');
  const listeners = await Promise.all(
    sidecars.map(async ({ adminPort }) => (await request('127.0.0.1', adminPort, '/listeners')).body),
  );
  expect(listeners.map((text) => /_(193\d\d)::/.exec(text)?.[1])).toEqual(
    sidecars.map(({ inboundPort }) => String(inboundPort)),
  );
});
