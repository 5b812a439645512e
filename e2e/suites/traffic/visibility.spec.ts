import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, EchoServer, istioYaml, LoopbackAddresses, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
const outside: EchoServer[] = [];
const endpoints: string[] = [];
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'near-v1' }, { name: 'far-v1', namespace: 'backend' }] });
  const addresses = new LoopbackAddresses();
  for (let i = 0; i < 220; i++) addresses.next();
  for (const name of ['for-all', 'own']) {
    const address = addresses.next();
    endpoints.push(address);
    outside.push(await EchoServer.listen(name, address, 8080));
  }
});
afterAll(async () => {
  await Promise.all(outside.map((server) => server.close()));
  await mesh.stop();
});
afterEach(() => mesh.remove('objects'));

/** Hosts that nothing declares are refused, so that invisible is told from unreachable. */
const registryOnly = istioYaml('Sidecar', 'default', { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } });
const apply = (...objects: readonly string[]) => mesh.apply('objects', documents(registryOnly, ...objects));
const statusOf = async (url: string) => (await mesh.call(url)).status;
const entry = (namespace: string, address: string, exportTo: readonly string[]): string =>
  istioYaml(
    'ServiceEntry',
    'shared',
    {
      hosts: ['shared.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
      endpoints: [{ address }],
      exportTo,
    },
    namespace,
  );

it('hides what is not exported to the client’s namespace', async () => {
  await apply(entry('backend', endpoints[0]!, ['.']));
  expect(await statusOf('http://shared.example.com/')).toBe(502);
  await apply(entry('backend', endpoints[0]!, ['default']));
  expect(await statusOf('http://shared.example.com/')).toBe(200);
});

it('leaves the routes of a hidden VirtualService out', async () => {
  const aborted = (exportTo: readonly string[]): string => {
    const fault = { abort: { httpStatus: 418, percentage: { value: 100 } } };
    const host = 'far.backend.svc.cluster.local';
    const http = [{ fault, route: [{ destination: { host } }] }];
    return istioYaml('VirtualService', 'far', { hosts: [host], http, exportTo }, 'backend');
  };
  await apply(aborted(['*']));
  expect(await statusOf('http://far.backend:8080/')).toBe(418);
  await apply(aborted(['.']));
  expect(await statusOf('http://far.backend:8080/')).toBe(200);
});

it('gives a namespace its own where several define one host', async () => {
  const [forAll, own] = endpoints as [string, string];
  const answering = async () => (JSON.parse((await mesh.call('http://shared.example.com/')).body) as Seen).workload;
  await apply(entry('backend', forAll, ['*']));
  expect(await answering()).toBe('for-all');
  await apply(entry('backend', forAll, ['*']), entry('default', own, ['.']));
  expect(await answering()).toBe('own');
  await apply(entry('backend', forAll, ['*']));
  expect(await answering()).toBe('for-all');
});
