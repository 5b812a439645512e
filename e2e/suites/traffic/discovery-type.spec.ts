import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { documents, httpRoutesYaml, istioYaml, type Seen, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'legacy-v1' }, { name: 'legacy-v2' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const ports = [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }];
const endpointsOf = (...names: string[]) =>
  names.map((name) => ({
    address: mesh.workloads.get(name)?.address,
    labels: { version: name.slice(-2) },
  }));
const workloadOf = async (url: string) => (JSON.parse((await mesh.call(url)).body) as Seen).workload;

it('reaches a STATIC external host', async () => {
  const spec = { hosts: ['api.example.com'], location: 'MESH_EXTERNAL', resolution: 'STATIC', ports };
  await mesh.apply('entry', istioYaml('ServiceEntry', 'api', { ...spec, endpoints: endpointsOf('legacy-v1') }));
  expect(await workloadOf('http://api.example.com/x')).toBe('legacy-v1');
  expect(mesh.echo('legacy-v1').seen[0]).toMatchObject({ path: '/x', headers: { host: 'api.example.com' } });
});

it('follows an endpoint that moves', async () => {
  const spec = { hosts: ['api.example.com'], location: 'MESH_EXTERNAL', resolution: 'STATIC', ports };
  await mesh.apply('entry', istioYaml('ServiceEntry', 'api', { ...spec, endpoints: endpointsOf('legacy-v2') }));
  expect(await workloadOf('http://api.example.com/x')).toBe('legacy-v2');
});

it('reaches a DNS host', async () => {
  const endpoints = endpointsOf('legacy-v1');
  const spec = { hosts: ['dns.example.com'], location: 'MESH_EXTERNAL', resolution: 'DNS', ports, endpoints };
  await mesh.apply('entry', istioYaml('ServiceEntry', 'dns', spec));
  expect(await workloadOf('http://dns.example.com/')).toBe('legacy-v1');
});

it('selects WorkloadEntries by label', async () => {
  const entry = (name: string) =>
    istioYaml('WorkloadEntry', name, { address: mesh.workloads.get(name)?.address, labels: { app: 'vm' } });
  const spec = {
    hosts: ['vm.example.com'],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports,
    workloadSelector: { labels: { app: 'vm' } },
  };
  await mesh.apply('entry', documents(istioYaml('ServiceEntry', 'vm', spec), entry('legacy-v1'), entry('legacy-v2')));
  const counts = await mesh.split(60, 'http://vm.example.com/');
  expect(Object.keys(counts).sort()).toEqual(['legacy-v1', 'legacy-v2']);
});

it('takes VirtualServices and subsets like any service', async () => {
  const spec = { hosts: ['api.example.com'], location: 'MESH_INTERNAL', resolution: 'STATIC', ports };
  const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
  await mesh.apply(
    'entry',
    documents(
      istioYaml('ServiceEntry', 'api', { ...spec, endpoints: endpointsOf('legacy-v1', 'legacy-v2') }),
      istioYaml('DestinationRule', 'api', { host: 'api.example.com', subsets }),
      httpRoutesYaml('api.example.com', [{ route: [to('api.example.com', 'v2')] }]),
    ),
  );
  expect(await mesh.split(40, 'http://api.example.com/')).toEqual({ 'legacy-v2': 40 });
});
