import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import {
  documents,
  EchoServer,
  istioYaml,
  LoopbackAddresses,
  makeCertificate,
  secretYaml,
  type Seen,
  TestAuthority,
  TestMesh,
} from '../../src/index.js';

jest.setTimeout(180_000);
const host = 'e2e.example.com';
let mesh: TestMesh;
let secure: EchoServer;
let address: string;
beforeAll(async () => {
  mesh = await TestMesh.start();
  const addresses = new LoopbackAddresses();
  for (let i = 0; i < 200; i++) address = addresses.next();
  secure = await EchoServer.listen('secure', address, 8443, makeCertificate(mesh.folder));
});
afterAll(async () => {
  await secure.close();
  await mesh.stop();
});
beforeEach(() => secure.reset());

const apply = (tls: unknown) =>
  mesh.apply(
    'secure',
    documents(
      istioYaml('ServiceEntry', 'secure', {
        hosts: [host],
        location: 'MESH_EXTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8443 }],
        endpoints: [{ address }],
      }),
      istioYaml('DestinationRule', 'secure', { host, trafficPolicy: { tls } }),
    ),
  );
const certificate = () => path.join(mesh.folder, 'cert.pem');

it('SIMPLE originates TLS and verifies the server', async () => {
  expect(fs.existsSync(certificate())).toBe(true);
  await apply({ mode: 'SIMPLE', caCertificates: certificate() });
  const { status, body } = await mesh.call(`http://${host}/x`);
  expect([status, (JSON.parse(body) as Seen).workload]).toEqual([200, 'secure']);
});

it('refuses a server whose certificate is for another name', async () => {
  await apply({ mode: 'SIMPLE', caCertificates: certificate(), subjectAltNames: ['other.example.com'] });
  expect((await mesh.call(`http://${host}/x`)).status).toBe(503);
  expect(secure.seen).toEqual([]);
});

it('refuses a server whose authority it does not know', async () => {
  await apply({ mode: 'SIMPLE' });
  expect((await mesh.call(`http://${host}/x`)).status).toBe(503);
});

it('verifies nothing with insecureSkipVerify', async () => {
  await apply({ mode: 'SIMPLE', insecureSkipVerify: true });
  expect((await mesh.call(`http://${host}/x`)).status).toBe(200);
});

it('speaks plain text when the mode is DISABLE', async () => {
  await apply({ mode: 'DISABLE' });
  expect((await mesh.call(`http://${host}/x`)).status).toBe(503);
  expect(secure.seen).toEqual([]);
});

it('takes certificates from a Secret where the rule selects the workload', async () => {
  const authority = new TestAuthority(path.join(mesh.folder, 'authority'));
  const strict = await EchoServer.listen('strict', address, 8444, {
    ...authority.issue(host),
    ca: authority.certificate,
  });
  const { key, cert } = authority.issue('client');
  const config = (selected: string) =>
    documents(
      istioYaml('ServiceEntry', 'secure', {
        hosts: [host],
        location: 'MESH_EXTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8444 }],
        endpoints: [{ address }],
      }),
      istioYaml('DestinationRule', 'secure', {
        host,
        workloadSelector: { matchLabels: { app: selected } },
        trafficPolicy: { tls: { mode: 'MUTUAL', credentialName: 'client' } },
      }),
      secretYaml('client', { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.certificate }, 'default'),
    );
  await mesh.apply('secure', config('client'));
  expect((await mesh.call(`http://${host}/x`)).status).toBe(200);
  expect(strict.seen).toMatchObject([{ servername: host }]);
  await mesh.apply('secure', config('other'));
  expect((await mesh.call(`http://${host}/x`)).status).toBe(503);
  await strict.close();
});
