import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import {
  binomialRange,
  documents,
  GreeterServer,
  httpRoutesYaml,
  LoopbackAddresses,
  podYaml,
  ProxylessClient,
  serviceYaml,
  subsetsYaml,
  TestMesh,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
const port = 7070;
const versions = ['v1', 'v2'];
const addresses = new LoopbackAddresses();
let mesh: TestMesh;
let client: ProxylessClient;
const greeters: GreeterServer[] = [];

beforeAll(async () => {
  const pods = [];
  for (let i = 0; i < 100; i++) addresses.next();
  for (const version of versions) {
    const [name, address] = [`greeter-${version}`, addresses.next()];
    greeters.push(await GreeterServer.listen(name, address, port));
    const labels = { app: 'greeter', version };
    pods.push(podYaml({ name, address, labels, ports: [{ name: 'grpc', containerPort: port }] }));
  }
  const service = serviceYaml({ name: 'greeter', ports: [{ name: 'grpc', port }] });
  mesh = await TestMesh.start({ config: { greeter: documents(service, ...pods) } });
  client = new ProxylessClient(mesh.folder, mesh.pilot.ports.xds, `xds:///greeter.default.svc.cluster.local:${port}`);
});
afterAll(async () => {
  client.close();
  for (const greeter of greeters) greeter.close();
  await mesh.stop();
});

/** Waits until calls of the client bear out a change: the library applies it some time after its acknowledgement. */
async function untilServedBy(names: string[]): Promise<void> {
  await poll(
    async () => {
      const { counts, failed } = await client.call(20);
      return failed === 0 && Object.keys(counts).sort().join() === names.join();
    },
    `calls answered by ${names.join(', ')}`,
  );
}

it('resolves a service of the mesh and calls each of its endpoints', async () => {
  const { counts, error } = await client.call(100);
  expect(error).toBe('');
  expect(Object.keys(counts).sort()).toEqual(['greeter-v1', 'greeter-v2']);
  const { proxies } = await mesh.pilot.sync();
  expect(proxies.find(({ id }) => id === 'proxyless-1')?.types).toMatchObject({
    lds: { status: 'SYNCED' },
    rds: { status: 'SYNCED' },
    cds: { status: 'SYNCED' },
    eds: { status: 'SYNCED' },
  });
});

it('follows a VirtualService to a subset', async () => {
  await mesh.apply(
    'routes',
    documents(subsetsYaml('greeter', versions), httpRoutesYaml('greeter', [{ route: [to('greeter', 'v2')] }])),
  );
  await untilServedBy(['greeter-v2']);
  expect(await client.call(100)).toMatchObject({ counts: { 'greeter-v2': 100 }, failed: 0 });
});

it('splits by weight within the binomial bound', async () => {
  const route = [to('greeter', 'v1', 70), to('greeter', 'v2', 30)];
  await mesh.apply('routes', documents(subsetsYaml('greeter', versions), httpRoutesYaml('greeter', [{ route }])));
  await untilServedBy(['greeter-v1', 'greeter-v2']);
  const { counts, failed } = await client.call(1000);
  expect(failed).toBe(0);
  const { low, high } = binomialRange(1000, 0.3);
  expect(counts['greeter-v2']).toBeGreaterThanOrEqual(low);
  expect(counts['greeter-v2']).toBeLessThanOrEqual(high);
});

it('serves on while pilot is away, and follows again when it is back', async () => {
  await mesh.pilot.stop('SIGKILL');
  expect(await client.call(50)).toMatchObject({ failed: 0 });
  mesh.write(
    'routes',
    documents(subsetsYaml('greeter', versions), httpRoutesYaml('greeter', [{ route: [to('greeter', 'v1')] }])),
  );
  await mesh.restartPilot();
  await poll(async () => Object.keys((await client.call(10)).counts).join() === 'greeter-v1', 'the new route', 60_000);
});
