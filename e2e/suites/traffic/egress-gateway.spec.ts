import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  documents,
  EchoServer,
  istioYaml,
  LoopbackAddresses,
  secretYaml,
  type Seen,
  TestAuthority,
  TestMesh,
  tlsRequest,
} from '../../src/index.js';

jest.setTimeout(180_000);
const host = 'api.example.com';
const egressHost = 'istio-egressgateway.istio-system.svc.cluster.local';
let mesh: TestMesh;
let authority: TestAuthority;
let strangers: TestAuthority;
/** An external server that lets in only clients with a certificate of the authority, one that lets in all, and one without TLS. */
let strict: EchoServer;
let open: EchoServer;
let plain: EchoServer;
let address: string;
beforeAll(async () => {
  mesh = await TestMesh.start({ egressGateway: true });
  authority = new TestAuthority(path.join(mesh.folder, 'authority'));
  strangers = new TestAuthority(path.join(mesh.folder, 'strangers'));
  const pool = new LoopbackAddresses();
  for (let i = 0; i < 230; i++) address = pool.next();
  strict = await EchoServer.listen('strict', address, 8443, { ...authority.issue(host), ca: authority.certificate });
  open = await EchoServer.listen('open', address, 9443, authority.issue(host));
  plain = await EchoServer.listen('plain', address, 8081);
});
afterAll(async () => {
  for (const server of [strict, open, plain]) await server.close();
  await mesh.stop();
});
beforeEach(() => [strict, open, plain].forEach((server) => server.reset()));

const ports = [
  { number: 80, name: 'http', protocol: 'HTTP' },
  { number: 443, name: 'https', protocol: 'HTTPS' },
  { number: 444, name: 'open', protocol: 'HTTPS' },
];
const outside = () =>
  istioYaml('ServiceEntry', 'api', {
    hosts: [host],
    location: 'MESH_EXTERNAL',
    resolution: 'STATIC',
    ports,
    endpoints: [{ address, ports: { http: 8081, https: 8443, open: 9443 } }],
  });
const gateway = (protocol: string, port: number, tls?: object) =>
  istioYaml('Gateway', 'egress', {
    selector: { istio: 'egressgateway' },
    servers: [{ port: { number: port, name: 'out', protocol }, hosts: [host], ...(tls && { tls }) }],
  });
/** HTTP from the mesh to the egress gateway, and from there to a port of the external host. */
const throughEgress = (externalPort: number) =>
  istioYaml('VirtualService', 'api', {
    hosts: [host],
    gateways: ['egress', 'mesh'],
    http: [
      {
        match: [{ gateways: ['mesh'], port: 80 }],
        route: [{ destination: { host: egressHost, port: { number: 80 } } }],
      },
      {
        match: [{ gateways: ['egress'], port: 80 }],
        route: [{ destination: { host, port: { number: externalPort } } }],
      },
    ],
  });
const originate = (tls: object, port = 443) =>
  istioYaml('DestinationRule', 'api', {
    host,
    trafficPolicy: { portLevelSettings: [{ port: { number: port }, tls }] },
  });
const clientSecret = (ca: Buffer) => {
  const { key, cert } = authority.issue('egress');
  return secretYaml('api-client', { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca });
};
/** Connections to the external host, by who opened them. */
const connections = async () => {
  const count = async (name: string) => {
    const stats = await mesh.envoy(name).stats(`^cluster\\.outbound\\|\\d+\\|\\|${host};\\.upstream_cx_total$`);
    return [...stats.values()].reduce((sum, value) => sum + value, 0);
  };
  return { client: await count('client'), egress: await count('egress') };
};

it('is what opens the connection to the external server', async () => {
  await mesh.apply('egress', documents(outside(), gateway('HTTP', 80), throughEgress(80)));
  const before = await connections();
  const { status, body } = await mesh.call(`http://${host}/x`);
  expect([status, (JSON.parse(body) as Seen).workload]).toEqual([200, 'plain']);
  const after = await connections();
  expect(after.client).toBe(before.client);
  expect(after.egress).toBeGreaterThan(before.egress);
});

describe('TLS started at the egress gateway', () => {
  const apply = (tls: object, ca: Buffer, port = 443) =>
    mesh.apply(
      'egress',
      documents(outside(), gateway('HTTP', 80), throughEgress(port), originate(tls, port), clientSecret(ca)),
    );

  it('shows the client certificate of a Secret, and the SNI of the rule', async () => {
    await apply({ mode: 'MUTUAL', credentialName: 'api-client', sni: host }, authority.certificate);
    const { status, body } = await mesh.call(`http://${host}/x`);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ workload: 'strict', servername: host, path: '/x' });
  });

  it('takes the SNI from the request where the rule has none', async () => {
    await apply({ mode: 'SIMPLE', credentialName: 'api-client' }, authority.certificate, 444);
    const { status, body } = await mesh.call(`http://${host}/x`);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ workload: 'open', servername: host });
  });

  it.each<[string, object, 'authority' | 'strangers']>([
    ['another name in the certificate', { mode: 'MUTUAL', subjectAltNames: ['other.example.com'] }, 'authority'],
    ['another authority', { mode: 'MUTUAL' }, 'strangers'],
    ['no client certificate where one is asked for', { mode: 'SIMPLE' }, 'authority'],
  ])('fails with 503 on %s', async (_what, tls, ca) => {
    const trusted = ca === 'authority' ? authority : strangers;
    await apply({ ...tls, credentialName: 'api-client', sni: host }, trusted.certificate);
    expect((await mesh.call(`http://${host}/x`)).status).toBe(503);
    expect(strict.seen).toEqual([]);
  });

  it('verifies nothing with insecureSkipVerify', async () => {
    const tls = { mode: 'MUTUAL', credentialName: 'api-client', sni: host, insecureSkipVerify: true };
    await apply(tls, strangers.certificate);
    expect((await mesh.call(`http://${host}/x`)).status).toBe(200);
  });
});

it('passes TLS of the application through by its SNI', async () => {
  await mesh.apply(
    'egress',
    documents(
      outside(),
      gateway('TLS', 443, { mode: 'PASSTHROUGH' }),
      istioYaml('VirtualService', 'api', {
        hosts: [host],
        gateways: ['egress', 'mesh'],
        tls: [
          {
            match: [{ gateways: ['mesh'], port: 444, sniHosts: [host] }],
            route: [{ destination: { host: egressHost, port: { number: 443 } } }],
          },
          {
            match: [{ gateways: ['egress'], port: 443, sniHosts: [host] }],
            route: [{ destination: { host, port: { number: 444 } } }],
          },
        ],
      }),
    ),
  );
  const before = await connections();
  const found = await tlsRequest(await mesh.loopbackOf(444), 444, { servername: host });
  expect(found).toMatchObject({ status: 200, workload: 'open', commonName: host });
  const after = await connections();
  expect(after.client).toBe(before.client);
  expect(after.egress).toBeGreaterThan(before.egress);
});

it('a sidecar leaves a credentialName to the gateways', async () => {
  const tls = { mode: 'MUTUAL', credentialName: 'api-client', sni: host };
  await mesh.apply('egress', documents(outside(), originate(tls, 80), clientSecret(authority.certificate)));
  expect((await mesh.call(`http://${host}/x`)).status).toBe(200);
  expect(plain.seen).toHaveLength(1);
});
