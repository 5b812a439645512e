import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { LaptopMesh, Prometheus } from '../../src/index.js';

jest.setTimeout(240_000);
const mesh = new LaptopMesh();
let prometheus: Prometheus;
beforeAll(async () => {
  await mesh.start();
  prometheus = await Prometheus.start({ config: 'prometheus.laptop.yml', discovered: {} });
});
afterAll(async () => {
  await prometheus.stop();
  await mesh.interrupt();
  mesh.remove();
});

const scalar = async (expr: string): Promise<number> => (await prometheus.query(expr))[0]?.value ?? NaN;
const details = (reporter: string) =>
  scalar(`sum(istio_requests_total{reporter="${reporter}", destination_app="details", response_code="200"})`);

it('finds a mesh on a laptop: each request once on each side, and what the control plane does', async () => {
  const count = 25;
  for (let i = 0; i < count; i++) expect(await mesh.status('/api/v1/products/0')).toBe(200);
  const counted = async () => await Promise.all([details('source'), details('destination')]);
  await poll(async () => (await counted()).every((n) => n >= count), 'the requests to be counted', 60_000);
  expect(await counted()).toEqual([count, count]);
  await poll(
    async () => (await prometheus.targets()).every(({ health }) => health !== 'unknown'),
    'all to be read',
    20_000,
  );
  expect((await prometheus.targets()).map(({ health, lastError }) => [health, lastError])).toEqual([
    ['up', ''],
    ['up', ''],
  ]);
  const parts = (await prometheus.query('istio_build')).map(({ metric }) => metric['component']);
  expect(parts.sort()).toEqual(['agent', 'citadel', 'mixer', 'pilot', 'registry']);
  expect(await scalar('sum(citadel_server_success_cert_issuance_count)')).toBeGreaterThan(0);
  expect(await scalar('sum(pilot_xds{app="istiod"})')).toBe((await mesh.workloads()).length);
});
