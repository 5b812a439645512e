import http from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { documents, EchoServer, istioYaml, LoopbackAddresses, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
let outside: EchoServer;
let address: string;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }, { name: 'squid-v1' }] });
  const addresses = new LoopbackAddresses();
  for (let i = 0; i < 210; i++) address = addresses.next();
  outside = await EchoServer.listen('outside', '0.0.0.0', 0);
});
afterAll(async () => {
  await outside.close();
  await mesh.stop();
});
beforeEach(() => {
  mesh.resetUpstreams();
  outside.reset();
});

const policy = (outboundTrafficPolicy: unknown): string =>
  istioYaml('Sidecar', 'policy', {
    workloadSelector: { labels: { app: 'client' } },
    egress: [{ hosts: ['./*'] }],
    outboundTrafficPolicy,
  });
const workloadOf = async (url: string): Promise<string> => (JSON.parse((await mesh.call(url)).body) as Seen).workload;

/** A tunnel through the client's HTTP proxy: the status, and the answer to a request inside it. */
async function tunnel(authority: string): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const options = { host: mesh.clientAddress, port: 15_007, method: 'CONNECT', path: authority };
    const call = http.request(options);
    call.on('error', reject);
    call.on('connect', (response, socket) => {
      const status = response.statusCode ?? 0;
      let body = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => (body += chunk));
      socket.on('close', () => resolve({ status, body }));
      if (status === 200) socket.write(`GET /inside HTTP/1.1\r\nhost: ${authority}\r\nconnection: close\r\n\r\n`);
      else socket.destroy();
    });
    call.end();
  });
}

it('ALLOW_ANY reaches hosts outside the mesh, by name and by address', async () => {
  await mesh.apply('policy', policy({ mode: 'ALLOW_ANY' }));
  expect(await workloadOf(`http://localhost:${outside.port}/`)).toBe('outside');
  expect(await workloadOf(`http://${address}:${outside.port}/`)).toBe('outside');
  expect(await workloadOf('http://reviews:8080/')).toBe('reviews-v1');
});

it('ALLOW_ANY tunnels to hosts outside the mesh', async () => {
  await mesh.apply('policy', policy({ mode: 'ALLOW_ANY' }));
  const { status, body } = await tunnel(`localhost:${outside.port}`);
  expect([status, body.includes('"path":"/inside"')]).toEqual([200, true]);
});

it('ALLOW_ANY answers 503 for a host that does not exist', async () => {
  await mesh.apply('policy', policy({ mode: 'ALLOW_ANY' }));
  expect((await mesh.call('http://no-such-host.invalid/')).status).toBe(503);
});

it('REGISTRY_ONLY answers 502 for hosts that nothing declares', async () => {
  await mesh.apply('policy', policy({ mode: 'REGISTRY_ONLY' }));
  expect((await mesh.call(`http://localhost:${outside.port}/`)).status).toBe(502);
  expect((await tunnel(`localhost:${outside.port}`)).status).toBe(502);
  expect(await workloadOf('http://reviews:8080/')).toBe('reviews-v1');
  expect(outside.seen).toEqual([]);
});

it('REGISTRY_ONLY reaches a host once a ServiceEntry declares it', async () => {
  const entry = istioYaml('ServiceEntry', 'outside', {
    hosts: ['outside.example.com'],
    location: 'MESH_EXTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: outside.port }],
    endpoints: [{ address }],
  });
  const url = 'http://outside.example.com/';
  expect((await mesh.call(url)).status).toBe(502);
  await mesh.apply('policy', documents(policy({ mode: 'REGISTRY_ONLY' }), entry));
  expect(await workloadOf(url)).toBe('outside');
});

it('egressProxy takes what nothing declares', async () => {
  await mesh.apply('policy', policy({ mode: 'ALLOW_ANY', egressProxy: { host: 'squid', port: { number: 8080 } } }));
  expect(await workloadOf('http://elsewhere.example.com/x')).toBe('squid-v1');
  expect(mesh.echo('squid-v1').seen[0]?.headers['host']).toBe('elsewhere.example.com');
  expect(await workloadOf('http://reviews:8080/')).toBe('reviews-v1');
});
