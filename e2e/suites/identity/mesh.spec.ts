import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { documents, EchoServer, istioYaml, LoopbackAddresses, type Seen, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const host = 'vault.example.com';
let mesh: TestMesh;
let vault: EchoServer;
let address: string;
beforeAll(async () => {
  mesh = await TestMesh.start({
    gateway: true,
    egressGateway: true,
    identity: true,
    workloads: [{ name: 'reviews-v1', sidecar: true }, { name: 'legacy-v1' }],
  });
  const addresses = new LoopbackAddresses();
  for (let i = 0; i < 200; i++) address = addresses.next();
  const { key, cert, ca } = await mesh.svid('vault', { namespace: 'secrets' });
  vault = await EchoServer.listen('vault', address, 8443, { key, cert, ca, ALPNProtocols: ['istio'] });
});
afterAll(async () => {
  await vault.close();
  await mesh.stop();
});

const idOf = (namespace: string, account: string) => `spiffe://cluster.local/ns/${namespace}/sa/${account}`;

/** A server outside that shows a SPIFFE certificate, and lets in who has one of the same root. */
const reach = (subjectAltNames: readonly string[]) =>
  mesh.apply(
    'vault',
    documents(
      istioYaml('ServiceEntry', 'vault', {
        hosts: [host],
        location: 'MESH_EXTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8443 }],
        endpoints: [{ address }],
      }),
      istioYaml('DestinationRule', 'vault', {
        host,
        trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL', subjectAltNames } },
      }),
    ),
  );

it('gives each Envoy the identity of its service account, and a workload without one none', () => {
  const lines = fs.readFileSync(path.join(mesh.identity.stateDir, 'audit.log'), 'utf8').trim().split('\n');
  const issued = lines
    .map((line) => JSON.parse(line) as { event: string; spiffeId: string })
    .filter(({ event }) => event === 'issued')
    .map(({ spiffeId }) => spiffeId);
  expect(issued.sort()).toEqual([
    idOf('default', 'client'),
    idOf('default', 'reviews'),
    idOf('istio-system', 'citadel'),
    idOf('istio-system', 'istio-egressgateway-service-account'),
    idOf('istio-system', 'istio-ingressgateway-service-account'),
    idOf('istio-system', 'pilot'),
  ]);
});

it('answers calls inside', async () => {
  expect(await mesh.split(5, 'http://reviews:8080/')).toEqual({ 'reviews-v1': 5 });
  expect(await mesh.split(5, 'http://legacy:8080/')).toEqual({ 'legacy-v1': 5 });
});

it('shows the client’s identity to a server by ISTIO_MUTUAL, and knows the server by its own', async () => {
  await reach([idOf('secrets', 'vault')]);
  const { status, body } = await mesh.call(`http://${host}/x`);
  expect([status, (JSON.parse(body) as Seen).workload]).toEqual([200, 'vault']);
  await reach([idOf('secrets', 'another')]);
  expect((await mesh.call(`http://${host}/x`)).status).toBe(503);
});
