import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type Certificate,
  documents,
  EchoServer,
  istioYaml,
  LoopbackAddresses,
  secretYaml,
  type Seen,
  TestAuthority,
  TestMesh,
  tlsRequest,
  type TlsRequestOptions,
  to,
} from '../../src/index.js';

jest.setTimeout(180_000);
const port = 8443;
let mesh: TestMesh;
let authority: TestAuthority;
let strangers: TestAuthority;
const backends: EchoServer[] = [];
const addresses: string[] = [];
beforeAll(async () => {
  mesh = await TestMesh.start({ gateway: true, workloads: [{ name: 'service1-v1' }, { name: 'service2-v1' }] });
  authority = new TestAuthority(path.join(mesh.folder, 'authority'));
  strangers = new TestAuthority(path.join(mesh.folder, 'strangers'));
  const pool = new LoopbackAddresses();
  for (let i = 0; i < 220; i++) pool.next();
  for (const name of ['one', 'two']) {
    const address = pool.next();
    addresses.push(address);
    backends.push(await EchoServer.listen(name, address, port, authority.issue(`${name}.backend`)));
  }
});
afterAll(async () => {
  for (const backend of backends) await backend.close();
  await mesh.stop();
});
beforeEach(() => mesh.resetUpstreams());

const secret = (name: string, { key, cert }: Certificate, more: Record<string, Buffer> = {}) =>
  secretYaml(name, { 'tls.crt': cert, 'tls.key': key, ...more });
const server = (name: string, hosts: string[], tls: object, protocol = 'HTTPS') => ({
  port: { number: port, name, protocol },
  hosts,
  tls,
});
const gateway = (servers: object[], name = 'secure') =>
  istioYaml('Gateway', name, { selector: { istio: 'ingressgateway' }, servers });
const routes = (name: string, hosts: string[], service: string) =>
  istioYaml('VirtualService', name, { hosts, gateways: ['secure'], http: [{ route: [to(service)] }] });
const call = (servername: string, options: Partial<TlsRequestOptions> = {}) =>
  tlsRequest(mesh.gatewayAddress, port, { servername, ...options });
const fingerprint = ({ cert }: Certificate) => new X509Certificate(cert).fingerprint256;

describe('credentialName', () => {
  it('shows the certificate of the Secret, by server name', async () => {
    const [shop, wild] = [authority.issue('shop.example.com'), authority.issue('*.example.com')];
    await mesh.apply(
      'gateway',
      documents(
        secret('shop', shop),
        secretYaml('wild', { cert: wild.cert, key: wild.key }, 'istio-system', 'Opaque'),
        gateway([
          server('shop', ['shop.example.com'], { mode: 'SIMPLE', credentialName: 'shop' }),
          server('wild', ['*.example.com'], { mode: 'SIMPLE', credentialName: 'wild' }),
        ]),
        routes('shop', ['shop.example.com'], 'service1'),
        routes('wild', ['*.example.com'], 'service2'),
      ),
    );
    expect(await call('shop.example.com')).toMatchObject({
      status: 200,
      workload: 'service1-v1',
      fingerprint: fingerprint(shop),
    });
    expect(await call('bank.example.com')).toMatchObject({
      status: 200,
      workload: 'service2-v1',
      fingerprint: fingerprint(wild),
    });
    expect((await call('elsewhere.net')).status).toBeUndefined();
    expect((await call('shop.example.com', { alpn: ['h2', 'http/1.1'] })).alpn).toBe('h2');
  });

  it('is replaced without a failed request and without a closed connection', async () => {
    const [old, renewed] = [authority.issue('shop.example.com'), authority.issue('shop.example.com')];
    const config = (certificate: Certificate) =>
      documents(
        secret('shop', certificate),
        gateway([server('shop', ['shop.example.com'], { mode: 'SIMPLE', credentialName: 'shop' })]),
        routes('shop', ['shop.example.com'], 'service1'),
      );
    await mesh.apply('gateway', config(old));
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: authority.certificate });
    const kept = () => keptRequest(agent);
    const first = await kept();
    const renewal = new AbortController();
    const seen: (number | undefined)[] = [];
    const load = (async () => {
      while (!renewal.signal.aborted) {
        seen.push((await kept()).status, (await call('shop.example.com')).status);
      }
    })();
    await mesh.apply('gateway', config(renewed));
    expect((await call('shop.example.com')).fingerprint).toBe(fingerprint(renewed));
    renewal.abort();
    await load;
    const last = await kept();
    agent.destroy();
    expect([first.fingerprint, last.fingerprint]).toEqual([fingerprint(old), fingerprint(old)]);
    expect(last.localPort).toBe(first.localPort);
    expect(new Set(seen)).toEqual(new Set([200]));
  });

  it('that is missing takes nothing from the other servers, and works when it comes', async () => {
    const [shop, late] = [authority.issue('shop.example.com'), authority.issue('late.example.com')];
    const servers = [
      server('shop', ['shop.example.com'], { mode: 'SIMPLE', credentialName: 'shop' }),
      server('late', ['late.example.com'], { mode: 'SIMPLE', credentialName: 'late' }),
    ];
    const both = routes('shop', ['shop.example.com', 'late.example.com'], 'service1');
    await mesh.apply('gateway', documents(secret('shop', shop), gateway(servers), both));
    expect((await call('shop.example.com')).status).toBe(200);
    expect((await call('late.example.com')).fingerprint).toBeUndefined();
    await mesh.apply('late', secret('late', late));
    expect(await call('late.example.com')).toMatchObject({ status: 200, fingerprint: fingerprint(late) });
    await mesh.remove('late');
  });

  it('that becomes unreadable stays as it was', async () => {
    const [shop, other] = [authority.issue('shop.example.com'), authority.issue('other.example.com')];
    const rest = documents(
      gateway([server('shop', ['shop.example.com'], { mode: 'SIMPLE', credentialName: 'shop' })]),
      routes('shop', ['shop.example.com'], 'service1'),
    );
    await mesh.apply('gateway', documents(secret('shop', shop), rest));
    mesh.write('gateway', documents(secret('shop', { cert: shop.cert, key: other.key }), rest));
    await mesh.pilot.process.until(
      () => Promise.resolve(mesh.pilot.process.output.includes('SEINE-SECRET')),
      'refusal',
    );
    expect(await call('shop.example.com')).toMatchObject({ status: 200, fingerprint: fingerprint(shop) });
    const keyLine = other.key.toString().split('\n')[1]!;
    expect(mesh.pilot.process.output).not.toContain(keyLine);
    expect(mesh.pilot.process.output).not.toContain(other.key.toString('base64').slice(0, 40));
  });
});

/** One request on the agent's connection. */
async function keptRequest(agent: https.Agent) {
  interface Kept {
    readonly status: number | undefined;
    readonly localPort: number | undefined;
    readonly fingerprint: string;
  }
  return await new Promise<Kept>((resolve, reject) => {
    const request = https.get(
      { host: mesh.gatewayAddress, port, servername: 'shop.example.com', headers: { host: 'shop.example.com' }, agent },
      (response) => {
        const socket = response.socket as tls.TLSSocket;
        const { localPort } = socket;
        const { fingerprint256 } = socket.getPeerCertificate();
        response
          .resume()
          .on('end', () => resolve({ status: response.statusCode, localPort, fingerprint: fingerprint256 }));
      },
    );
    request.on('error', reject);
  });
}

describe('files', () => {
  const folder = () => path.join(mesh.folder, 'mounted');
  const put = ({ key, cert }: Certificate) => {
    fs.mkdirSync(folder(), { recursive: true });
    for (const [name, content] of [
      ['key.pem', key],
      ['cert.pem', cert],
    ] as const) {
      fs.writeFileSync(path.join(folder(), `${name}.new`), content);
      fs.renameSync(path.join(folder(), `${name}.new`), path.join(folder(), name));
    }
  };
  const fromFiles = () => ({
    mode: 'SIMPLE',
    serverCertificate: path.join(folder(), 'cert.pem'),
    privateKey: path.join(folder(), 'key.pem'),
  });

  it('are read again when they are replaced', async () => {
    const [old, renewed] = [authority.issue('shop.example.com'), authority.issue('shop.example.com')];
    put(old);
    await mesh.apply(
      'gateway',
      documents(gateway([server('shop', ['shop.example.com'], fromFiles())]), routes('shop', ['*'], 'service1')),
    );
    expect(await call('shop.example.com')).toMatchObject({ status: 200, fingerprint: fingerprint(old) });
    put(renewed);
    await mesh.gateway.process.until(
      async () => (await call('shop.example.com')).fingerprint === fingerprint(renewed),
      'with the new certificate',
    );
  });

  it('that are not there take nothing from other servers', async () => {
    put(authority.issue('shop.example.com'));
    const lost = { mode: 'SIMPLE', serverCertificate: '/nowhere/cert.pem', privateKey: '/nowhere/key.pem' };
    mesh.write(
      'gateway',
      documents(
        gateway([server('lost', ['lost.example.com'], lost), server('found', ['found.example.com'], fromFiles())]),
        routes('any', ['*'], 'service2'),
      ),
    );
    await mesh.gateway.process.until(
      async () => (await call('found.example.com')).workload === 'service2-v1',
      'serving the other server',
    );
    expect((await call('lost.example.com')).status).toBeUndefined();
    const { refusals } = await mesh.pilot.sync();
    expect(refusals).toMatchObject([{ name: 'file-cert:/nowhere/cert.pem~/nowhere/key.pem' }]);
  });
});

it('speaks HTTP/2 to those who offer it', async () => {
  const shop = authority.issue('shop.example.com');
  await mesh.apply(
    'gateway',
    documents(
      secret('shop', shop),
      gateway([server('shop', ['shop.example.com'], { mode: 'SIMPLE', credentialName: 'shop' })]),
      routes('shop', ['shop.example.com'], 'service1'),
    ),
  );
  const session = http2.connect('https://shop.example.com', {
    createConnection: () =>
      tls.connect({
        host: mesh.gatewayAddress,
        port,
        servername: 'shop.example.com',
        ca: authority.certificate,
        ALPNProtocols: ['h2'],
      }),
  });
  const answers = await Promise.all(
    ['/a', '/b', '/c'].map(async (target) => {
      const stream = session.request({ ':path': target });
      stream.setEncoding('utf8');
      let body = '';
      for await (const chunk of stream) body += chunk as string;
      return (JSON.parse(body) as Seen).path;
    }),
  );
  session.destroy();
  expect(answers).toEqual(['/a', '/b', '/c']);
});

describe('client certificates', () => {
  it.each([
    ['MUTUAL', undefined, [undefined, 200, undefined]],
    ['OPTIONAL_MUTUAL', undefined, [200, 200, undefined]],
    ['MUTUAL', 'other-ca', [undefined, undefined, 200]],
  ] as const)('%s, CA %s: none, a good one, a stranger’s', async (mode, caCertCredentialName, expected) => {
    const shop = authority.issue('shop.example.com');
    await mesh.apply(
      'gateway',
      documents(
        secret('shop', shop, { 'ca.crt': authority.certificate }),
        secretYaml('other-ca', { 'ca.crt': strangers.certificate }, 'istio-system', 'Opaque'),
        gateway([server('shop', ['*'], { mode, credentialName: 'shop', caCertCredentialName })]),
        routes('shop', ['*'], 'service1'),
      ),
    );
    const clients = [undefined, authority.issue('alice'), strangers.issue('mallory')];
    const found = await Promise.all(clients.map(async (client) => (await call('shop.example.com', { client })).status));
    expect(found).toEqual(expected);
  });

  it('must have one of subjectAltNames', async () => {
    const shop = authority.issue('shop.example.com');
    await mesh.apply(
      'gateway',
      documents(
        secret('shop', shop),
        secretYaml('shop-cacert', { cacert: authority.certificate }, 'istio-system', 'Opaque'),
        gateway([server('shop', ['*'], { mode: 'MUTUAL', credentialName: 'shop', subjectAltNames: ['alice'] })]),
        routes('shop', ['*'], 'service1'),
      ),
    );
    expect((await call('shop.example.com', { client: authority.issue('alice') })).status).toBe(200);
    expect((await call('shop.example.com', { client: authority.issue('bob') })).status).toBeUndefined();
  });
});

it('takes no TLS version below minProtocolVersion', async () => {
  const shop = authority.issue('shop.example.com');
  const settings = { mode: 'SIMPLE', credentialName: 'shop', minProtocolVersion: 'TLSV1_3' };
  await mesh.apply(
    'gateway',
    documents(secret('shop', shop), gateway([server('shop', ['*'], settings)]), routes('shop', ['*'], 'service1')),
  );
  expect((await call('shop.example.com')).status).toBe(200);
  expect((await call('shop.example.com', { maxVersion: 'TLSv1.2' })).status).toBeUndefined();
});

const backendEntries = (location: string) =>
  ['one', 'two'].map((name, i) =>
    istioYaml('ServiceEntry', name, {
      hosts: [`${name}.backend`],
      location,
      resolution: 'STATIC',
      ports: [{ number: port, name: 'tls', protocol: 'TLS' }],
      endpoints: [{ address: addresses[i] }],
    }),
  );

it('PASSTHROUGH leads two server names on one port to two backends, whose certificates the client sees', async () => {
  const tls = ['one', 'two'].map((name) => ({
    match: [{ port, sniHosts: [`${name}.example.com`] }],
    route: [to(`${name}.backend`)],
  }));
  const hosts = ['one.example.com', 'two.example.com'];
  await mesh.apply(
    'gateway',
    documents(
      ...backendEntries('MESH_EXTERNAL'),
      gateway([server('tls', ['*.example.com'], { mode: 'PASSTHROUGH' }, 'TLS')]),
      istioYaml('VirtualService', 'tls', { hosts, gateways: ['secure'], tls }),
    ),
  );
  expect(await call('one.example.com')).toMatchObject({ workload: 'one', commonName: 'one.backend' });
  expect(await call('two.example.com')).toMatchObject({ workload: 'two', commonName: 'two.backend' });
  expect((await call('three.example.com')).commonName).toBeUndefined();
});

it('AUTO_PASSTHROUGH leads to the cluster that the server name is', async () => {
  await mesh.apply(
    'gateway',
    documents(
      ...backendEntries('MESH_INTERNAL'),
      gateway([server('tls', ['*.backend'], { mode: 'AUTO_PASSTHROUGH' }, 'TLS')]),
    ),
  );
  const alpn = ['istio', 'http/1.1'];
  const name = (host: string) => `outbound_.${port}_._.${host}`;
  expect(await call(name('one.backend'), { alpn })).toMatchObject({ workload: 'one', commonName: 'one.backend' });
  expect(await call(name('two.backend'), { alpn })).toMatchObject({ workload: 'two', commonName: 'two.backend' });
  expect((await call(name('one.backend'))).commonName).toBeUndefined();
  const elsewhere = 'outbound_.8080_._.service1.default.svc.cluster.local';
  expect((await call(elsewhere, { alpn })).commonName).toBeUndefined();
});
