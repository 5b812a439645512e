import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { istioYaml, makeCertificate, request, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
let socketApp: http.Server;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [
      { name: 'reviews-v1' },
      { name: 'ratings-v1' },
      { name: 'hidden-v1', namespace: 'backend' },
      { name: 'store-v1' },
      { name: 'server-v1', sidecar: true },
    ],
    services: [{ name: 'store', ports: [{ name: 'tcp', port: 7000, targetPort: 8080 }] }],
  });
  socketApp = http.createServer((_request, response) => response.end('by socket'));
  await new Promise<void>((resolve) => socketApp.listen(inFolder('app.sock'), resolve));
});
afterAll(async () => {
  socketApp.closeAllConnections();
  await new Promise((resolve) => socketApp.close(resolve));
  await mesh.stop();
});
beforeEach(() => mesh.resetUpstreams());
afterEach(() => mesh.remove('sidecar'));

const inFolder = (file: string): string => path.join(mesh.folder, file);
/** Unknown hosts are refused, so that what is not listed is told from what does not resolve. */
const registryOnly = { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } };
const forClient = { workloadSelector: { labels: { app: 'client' } }, ...registryOnly };
const apply = (spec: unknown) => mesh.apply('sidecar', istioYaml('Sidecar', 'sidecar', spec));
const statusOf = async (host: string) => (await mesh.call(`http://${host}:8080/`)).status;
const reviews = 'reviews.default.svc.cluster.local';

it('hides what its egress does not name', async () => {
  expect(await statusOf('ratings')).toBe(200);
  await apply({ ...forClient, egress: [{ hosts: [`./${reviews}`] }] });
  expect([await statusOf('reviews'), await statusOf('ratings'), await statusOf('hidden.backend')]).toEqual([
    200, 502, 502,
  ]);
  // The one call from before.
  expect(mesh.echo('ratings-v1').seen).toHaveLength(1);
});

it('shows other namespaces that it names', async () => {
  await apply({ ...forClient, egress: [{ hosts: ['backend/*'] }] });
  expect([await statusOf('hidden.backend'), await statusOf('reviews')]).toEqual([200, 502]);
});

it('makes the configuration smaller, and leaves it when something hidden changes', async () => {
  const size = async () => (await mesh.client.admin('/config_dump?include_eds')).length;
  const updates = async () => {
    const all = await mesh.client.stats('(lds|cds|rds\\..*|cluster\\..*)\\.update_success$');
    return [...all.values()].reduce((sum, count) => sum + count, 0);
  };
  const before = await size();
  await apply({ ...forClient, egress: [{ hosts: [`./${reviews}`] }] });
  expect(await size()).toBeLessThan(before);
  const settled = await updates();
  const rule = { host: 'ratings', trafficPolicy: { connectionPool: { tcp: { maxConnections: 3 } } } };
  await mesh.apply('hidden', istioYaml('DestinationRule', 'ratings', rule));
  expect(await updates()).toBe(settled);
  await mesh.remove('hidden');
});

it('listens at an address of its own', async () => {
  const bind = mesh.clientAddress;
  const port = { number: 7000, protocol: 'TCP', name: 'store' };
  await apply({ ...forClient, egress: [{ port, bind, captureMode: 'NONE', hosts: ['./*'] }, { hosts: ['./*'] }] });
  const { body } = await request(bind, 7000, '/tcp', { headers: { connection: 'close' } });
  expect((JSON.parse(body) as Seen).workload).toBe('store-v1');
});

it('lists on a port only what the entry of that port names', async () => {
  const port = { number: 8080, protocol: 'HTTP', name: 'http' };
  await apply({ ...forClient, egress: [{ port, hosts: [`./${reviews}`] }, { hosts: ['*/*'] }] });
  expect([await statusOf('reviews'), await statusOf('ratings')]).toEqual([200, 502]);
});

it('listens on a Unix socket', async () => {
  const socket = inFolder('egress.sock');
  const port = { number: 0, protocol: 'HTTP', name: 'socket' };
  await apply({ ...forClient, egress: [{ port, bind: `unix://${socket}`, hosts: [`./${reviews}`] }] });
  const seen = await bySocket(socket, 'reviews');
  expect([seen.status, (JSON.parse(seen.body) as Seen).workload]).toEqual([200, 'reviews-v1']);
  expect((await bySocket(socket, 'ratings')).status).toBe(502);
});

it('leads ingress to a Unix socket', async () => {
  const server = { workloadSelector: { labels: { app: 'server' } } };
  expect((JSON.parse((await mesh.call('http://server:8080/')).body) as Seen).workload).toBe('server-v1');
  const port = { number: 8080, protocol: 'HTTP', name: 'http' };
  await apply({ ...server, ingress: [{ port, defaultEndpoint: `unix://${inFolder('app.sock')}` }] });
  expect((await mesh.call('http://server:8080/')).body).toBe('by socket');
});

it('ends TLS of clients outside the mesh', async () => {
  makeCertificate(mesh.folder);
  const ca = fs.readFileSync(inFolder('cert.pem'));
  const { echo, address } = mesh.workloads.get('server-v1')!;
  const tls = { mode: 'SIMPLE', serverCertificate: inFolder('cert.pem'), privateKey: inFolder('key.pem') };
  const port = { number: 9443, protocol: 'HTTPS', name: 'https' };
  const ingress = [{ port, defaultEndpoint: `127.0.0.1:${echo.port}`, tls }];
  await apply({ workloadSelector: { labels: { app: 'server' } }, ingress });
  const body = await new Promise<string>((resolve, reject) => {
    const options = { host: address, port: 9443, path: '/tls', ca, servername: 'e2e.example.com' };
    https.get(options, (response) => void collect(response).then(resolve, reject)).on('error', reject);
  });
  expect(JSON.parse(body)).toMatchObject({ workload: 'server-v1', path: '/tls' });
  await expect(request(address, 9443, '/plain')).rejects.toThrow();
});

async function collect(response: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  return text;
}

function bySocket(socketPath: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = http.get({ socketPath, path: '/', headers: { host, connection: 'close' } }, (response) => {
      collect(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    call.on('error', reject);
  });
}
