import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AdsClient, type AdsClientOptions, aNode } from '@seine/testing';
import {
  documents,
  Envoy,
  freePort,
  istioYaml,
  MeshIdentity,
  PilotProcess,
  secretYaml,
  serviceYaml,
  SpiffeAuthority,
  type Svid,
  TestAuthority,
} from '../../src/index.js';
import { sidecarNode } from '../../src/mesh-nodes.js';
import { forgedSvid } from './forged-svid.js';
import { listeningPorts } from './listening-ports.js';

jest.setTimeout(240_000);

const host = '127.0.0.1';
/** Seconds: long enough for a busy machine to renew in time, short enough to see it several times. */
const shortLife = 10;
const pilotId = 'spiffe://cluster.local/ns/istio-system/sa/pilot';
const clusterType = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const secretType = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-secure-xds-'));
const configDir = path.join(folder, 'config');

let identity: MeshIdentity;
/** Of the mesh, as it is now. */
let authority: SpiffeAuthority;
let pilot: PilotProcess;
let port: number;
let envoy: Envoy;
const clients: AdsClient[] = [];

function write(name: string, yaml: string): void {
  const draft = path.join(folder, 'draft');
  fs.writeFileSync(draft, yaml);
  fs.renameSync(draft, path.join(configDir, `${name}.yaml`));
}

async function startPilot(ports = pilot.ports): Promise<PilotProcess> {
  const proof = ['--token-file', identity.tokenFile('istio-system', 'pilot'), '--root-cert', identity.rootsFile];
  return await PilotProcess.start(configDir, ports, [
    ...['--citadel', identity.citadelAddress, ...proof, '--ttl', String(shortLife)],
    ...['--oidc-issuer', identity.issuer.issuer, '--oidc-jwks', identity.issuer.keysUrl],
  ]);
}

function credentialsOf(roots: string, own?: Pick<Svid, 'key' | 'cert'>): ChannelCredentials {
  // Who the client is does not hang on how the server is called.
  const anyName = { checkServerIdentity: () => undefined };
  return credentials.createSsl(Buffer.from(roots), own?.key ?? null, own?.cert ?? null, anyName);
}

function open(options: AdsClientOptions, node = aNode(), to = port) {
  const client = new AdsClient(`${host}:${to}`, options);
  clients.push(client);
  return client.open('delta', node);
}

/** How a stream ends that asks for clusters, and what it got before. */
async function outcome(options: AdsClientOptions, node = aNode(), to = port) {
  const stream = open(options, node, to).request({ typeUrl: clusterType });
  const first = await Promise.race([stream.ended, stream.next().catch(() => stream.ended)]);
  return 'code' in first ? { code: first.code, got: stream.inbox.length } : { code: status.OK, got: 1 };
}

/** What pilot shows at a handshake now. */
async function shown(): Promise<X509Certificate> {
  return await new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) resolve(certificate);
      else reject(new Error('pilot shows no certificate'));
    });
    socket.on('error', reject);
  });
}

async function ownSerial(): Promise<string> {
  const { certificates } = await envoy.adminJson<{
    readonly certificates: readonly { readonly cert_chain?: readonly { readonly serial_number: string }[] }[];
  }>('/certs');
  return certificates.flatMap(({ cert_chain: chain = [] }) => chain.map((leaf) => leaf.serial_number)).join();
}

beforeAll(async () => {
  fs.mkdirSync(configDir);
  write('services', documents(serviceYaml({ name: 'reviews' })));
  identity = await MeshIdentity.prepare(folder, { ttl: shortLife });
  authority = identity.authority;
  identity.enroll({ name: 'client', namespace: 'default', serviceAccount: 'client' });
  port = await freePort();
  pilot = await startPilot({ xds: 0, secureXds: port, admin: await freePort() });
});
afterAll(async () => {
  for (const client of clients) client.close();
  await envoy.kill();
  await pilot.stop('SIGKILL');
  await identity.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

describe('an Envoy that knows pilot by its identity', () => {
  it('comes up when all is cold: it was there before the agent, and pilot before citadel', async () => {
    const place = { name: 'client', namespace: 'default', address: '127.0.0.1', serviceAccount: 'client' };
    envoy = await Envoy.spawn({
      node: sidecarNode(place, { app: 'client' }, new Map()),
      xdsPort: port,
      xdsIdentity: pilotId,
      agentSocket: identity.socketOf('client'),
      folder,
    });
    await envoy.process.until(async () => (await envoy.state()) !== undefined, 'up');
    await identity.startAgent();
    await identity.startCitadel();
    await pilot.untilSynced(['client']);
    await envoy.untilLive();
    expect((await shown()).subjectAltName).toBe(`URI:${pilotId}`);
  });

  it('keeps its stream while certificates are renewed', async () => {
    const connections = await envoy.stat('cluster.xds-grpc.upstream_cx_total');
    const before = { pilot: (await shown()).serialNumber, envoy: await ownSerial() };
    const [stream] = (await pilot.sync()).proxies;
    await pilot.process.until(async () => (await shown()).serialNumber !== before.pilot, 'renewed');
    await envoy.process.until(async () => (await ownSerial()) !== before.envoy, 'renewed');
    write('another', serviceYaml({ name: 'ratings' }));
    await pilot.untilSynced(['client'], (await pilot.sync()).revision - 1);
    expect(await envoy.stat('cluster.xds-grpc.upstream_cx_total')).toBe(connections);
    expect((await pilot.sync()).proxies).toMatchObject([{ connectedAt: stream?.connectedAt }]);
  });

  it('keeps its stream while the root is changed, and knows pilot by the new root afterwards', async () => {
    const connections = await envoy.stat('cluster.xds-grpc.upstream_cx_total');
    const next = await SpiffeAuthority.make();
    const both = authority.roots + next.roots;
    const old = await authority.issue({ serviceAccount: 'client' });
    const renewed = await next.issue({ serviceAccount: 'client' });
    const comesIn = async (svid: Svid) =>
      (await outcome({ credentials: credentialsOf(both, svid) })).code === status.OK;
    // The agent follows the bundle of citadel, pilot its file.
    identity.trust(both);
    await identity.citadel.stop();
    authority.write(identity.cacertsDir, both);
    await identity.startCitadel();
    await pilot.process.until(() => comesIn(renewed), 'with both roots');
    expect(await comesIn(old)).toBe(true);

    await identity.citadel.stop();
    next.write(identity.cacertsDir, both);
    await identity.startCitadel();
    const root = new X509Certificate(next.roots);
    await pilot.process.until(async () => (await shown()).verify(root.publicKey), 'signed by the new root');
    const serial = await ownSerial();
    await envoy.process.until(async () => (await ownSerial()) !== serial, 'renewed');
    identity.trust(next.roots);
    await pilot.process.until(async () => !(await comesIn(old)), 'without the old root');

    const { revision } = await pilot.sync();
    write('third', serviceYaml({ name: 'details' }));
    await pilot.untilSynced(['client'], revision);
    expect(await envoy.stat('cluster.xds-grpc.upstream_cx_total')).toBe(connections);
    await pilot.stop();
    pilot = await startPilot();
    await pilot.untilSynced(['client']);
    expect(await envoy.stat('cluster.xds-grpc.upstream_cx_total')).toBeGreaterThan(connections);
    authority = next;
  });

  it('does not speak with a pilot of another identity', async () => {
    const connected = await envoy.stat('cluster.xds-grpc.ssl.handshake');
    await pilot.stop();
    const impostor = await authority.issue({ namespace: 'istio-system', serviceAccount: 'mixer' });
    let streams = 0;
    const server = tls.createServer({
      ...impostor,
      ALPNProtocols: ['h2'],
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.on('secureConnection', (socket) => {
      socket.on('data', () => streams++);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    try {
      await envoy.process.until(
        async () => (await envoy.stat('cluster.xds-grpc.ssl.fail_verify_san')) > 0,
        'refusing the wrong identity',
      );
      expect(streams).toBe(0);
      expect(await envoy.stat('cluster.xds-grpc.ssl.handshake')).toBe(connected);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    pilot = await startPilot();
    await pilot.untilSynced(['client']);
  });
});

describe('clients of the secure port', () => {
  const issue = (options: Partial<Parameters<SpiffeAuthority['issue']>[0]> = {}) =>
    authority.issue({ serviceAccount: 'client', ...options });
  const asked = async (own: Pick<Svid, 'key' | 'cert'> | undefined, node = aNode()) =>
    await outcome({ credentials: credentialsOf(authority.roots, own) }, node);
  const day = 86_400_000;

  const strangers: readonly (readonly [string, () => Promise<Pick<Svid, 'key' | 'cert'> | undefined>])[] = [
    ['no certificate', () => Promise.resolve(undefined)],
    [
      'a self-signed certificate',
      () => Promise.resolve(forgedSvid({ uris: ['spiffe://cluster.local/ns/default/sa/client'] })),
    ],
    ['the root of another mesh', async () => (await SpiffeAuthority.make()).issue({ serviceAccount: 'client' })],
    ['another trust domain', async () => (await SpiffeAuthority.make('other')).issue({ serviceAccount: 'client' })],
    ['an expired certificate', () => issue({ now: Date.now() - 2 * day, lifetimeMs: day })],
  ];

  it.each(strangers)('X-34: %s → UNAUTHENTICATED, and nothing sent', async (_what, own) => {
    expect(await asked(await own())).toEqual({ code: status.UNAUTHENTICATED, got: 0 });
  });

  it('X-34: there is no plain text, on no port', async () => {
    expect(await outcome({})).toEqual({ code: status.UNAVAILABLE, got: 0 });
    const ports = new Set(listeningPorts(pilot.process.pid).map((listening) => listening.port));
    expect(ports).toEqual(new Set([port, pilot.ports.admin]));
    // The admin port speaks HTTP/1.1 only.
    expect((await outcome({}, aNode(), pilot.ports.admin)).code).not.toBe(status.OK);
  });

  it('a token of the platform is believed in place of a certificate', async () => {
    const token = fs.readFileSync(identity.tokenFile('default', 'client'), 'utf8');
    const by = (authorization: string) => outcome({ credentials: credentialsOf(authority.roots), authorization });
    expect((await by(`Bearer ${token}`)).code).toBe(status.OK);
    expect((await by(`Bearer ${token.slice(0, -8)}`)).code).toBe(status.UNAUTHENTICATED);
  });

  it.each([
    ['its own', aNode(), status.OK],
    [
      'the namespace of another in its id',
      { ...aNode('a'), id: 'sidecar~10.0.0.1~a.shop~d' },
      status.PERMISSION_DENIED,
    ],
    ['another namespace', aNode('a', { NAMESPACE: 'shop' }), status.PERMISSION_DENIED],
    ['another account', aNode('a', { SERVICE_ACCOUNT: 'admin' }), status.PERMISSION_DENIED],
  ])('X-33: a node that claims %s', async (_what, node, code) => {
    expect(await asked(await issue(), node)).toEqual({ code, got: code === status.OK ? 1 : 0 });
  });

  it('S-7: a secret is for nodes of its namespace that have proved it, whatever others claim', async () => {
    const { key, cert } = new TestAuthority(folder).issue('shop.example.com');
    write(
      'gateway',
      documents(
        secretYaml('shop-cert', { 'tls.crt': cert, 'tls.key': key }),
        istioYaml(
          'Gateway',
          'shop',
          {
            selector: { istio: 'ingressgateway' },
            servers: [
              {
                hosts: ['shop.example.com'],
                port: { number: 443, name: 'https', protocol: 'HTTPS' },
                tls: { mode: 'SIMPLE', credentialName: 'shop-cert' },
              },
            ],
          },
          'istio-system',
        ),
      ),
    );
    const gateway = (namespace: string, claimed: string) => ({
      ...aNode('gateway', { NAMESPACE: claimed, LABELS: { istio: 'ingressgateway' } }),
      id: `router~10.0.0.9~gateway.${namespace}~${namespace}.svc.cluster.local`,
    });
    const secretsFor = async (namespace: string, claimed = namespace) => {
      const own = await issue({ namespace, serviceAccount: 'gateway' });
      const stream = open({ credentials: credentialsOf(authority.roots, own) }, gateway(namespace, claimed));
      stream.request({ typeUrl: secretType, names: ['kubernetes://shop-cert'] });
      const answer = await Promise.race([stream.next(secretType).catch(() => undefined), stream.ended]);
      return answer && 'resources' in answer ? answer.resources.map(({ name }) => name) : answer?.code;
    };
    await pilot.process.until(
      async () => JSON.stringify(await secretsFor('istio-system')) === '["kubernetes://shop-cert"]',
      'gives the gateway its secret',
    );
    expect(await secretsFor('shop')).not.toEqual(['kubernetes://shop-cert']);
    expect(await secretsFor('shop', 'istio-system')).toBe(status.PERMISSION_DENIED);
  });
});
