import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import {
  documents,
  EchoServer,
  httpRoutesYaml,
  istioYaml,
  makeCertificate,
  type Seen,
  TestMesh,
  tlsRequest,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ gateway: true, workloads: [{ name: 'legacy-v1' }, { name: 'legacy-v2' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const ports = [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }];
const endpointsOf = (...names: string[]) =>
  names.map((name) => ({
    address: mesh.workloads.get(name)?.address,
    labels: { version: name.slice(-2) },
  }));
/** Any free port of 127.0.0.1, where names under .localhost lead. */
let local: EchoServer | undefined;
afterAll(() => local?.close());
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

it('looks up whatever host of a wildcard is asked for', async () => {
  local = await EchoServer.listen('local', '127.0.0.1', 0);
  const any = [{ number: local.port, name: 'http', protocol: 'HTTP' }];
  const spec = { hosts: ['*.localhost'], location: 'MESH_EXTERNAL', resolution: 'DYNAMIC_DNS', ports: any };
  await mesh.apply('entry', istioYaml('ServiceEntry', 'any', spec));
  for (const name of ['one', 'two']) {
    const { body } = await mesh.call(`http://${name}.localhost:${local.port}/x`);
    expect(JSON.parse(body)).toMatchObject({ workload: 'local', headers: { host: `${name}.localhost:${local.port}` } });
  }
  await local.close();
});

it('looks up the host that TLS names by its SNI', async () => {
  local = await EchoServer.listen('secure', '127.0.0.1', 0, makeCertificate(mesh.folder));
  const any = [{ number: local.port, name: 'tls', protocol: 'TLS' }];
  await mesh.apply(
    'entry',
    documents(
      istioYaml('ServiceEntry', 'any', { hosts: ['*.localhost'], resolution: 'DYNAMIC_DNS', ports: any }),
      istioYaml('Gateway', 'tls', {
        selector: { istio: 'ingressgateway' },
        servers: [
          { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['*.localhost'], tls: { mode: 'PASSTHROUGH' } },
        ],
      }),
      istioYaml('VirtualService', 'tls', {
        hosts: ['*.localhost'],
        gateways: ['tls'],
        tls: [{ match: [{ sniHosts: ['*.localhost'] }], route: [to('*.localhost')] }],
      }),
    ),
  );
  const answer = await tlsRequest(mesh.gatewayAddress, 443, { servername: 'three.localhost' });
  expect(answer).toMatchObject({ status: 200, workload: 'secure' });
  expect(local.seen[0]?.servername).toBe('three.localhost');
});

it('reaches a service by the name of an ExternalName', async () => {
  const externalName = (name: string, target: string) => `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { type: ExternalName, externalName: ${target} }
`;
  await mesh.apply(
    'entry',
    documents(
      externalName('old', 'legacy.default.svc.cluster.local'),
      externalName('older', 'old.default.svc.cluster.local'),
      istioYaml('DestinationRule', 'legacy', {
        host: 'legacy',
        subsets: [{ name: 'v2', labels: { version: 'v2' } }],
      }),
      httpRoutesYaml('legacy', [{ route: [to('legacy', 'v2')] }]),
    ),
  );
  for (const name of ['old', 'older.default', 'older.default.svc.cluster.local'])
    expect(await mesh.split(10, `http://${name}:8080/`)).toEqual({ 'legacy-v2': 10 });
});
