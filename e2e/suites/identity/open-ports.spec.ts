import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client, type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  freePort,
  MeshIdentity,
  PilotProcess,
  repositoryRoot,
  request,
  SpiffeAuthority,
  type Svid,
  TestProcess,
} from '../../src/index.js';
import { forgedSvid } from './forged-svid.js';
import { listeningPorts } from './listening-ports.js';

jest.setTimeout(120_000);

const host = '127.0.0.1';
const day = 86_400_000;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-open-ports-'));
const paths = {
  xds: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
  sotw: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  read: '/seine.config.v1.ConfigService/List',
  write: '/seine.config.v1.ConfigService/Apply',
  sign: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
} as const;

let identity: MeshIdentity;
let pilot: PilotProcess;
let registry: TestProcess;
const ports = { xds: 0, config: 0, citadel: 0 };

/** How one call ends that sends an empty message. */
async function statusOf(port: number, method: string, by: ChannelCredentials): Promise<status> {
  const client = new Client(`${host}:${port}`, by, { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0 });
  const asIs = (bytes: Buffer) => bytes;
  try {
    return await new Promise((resolve) => {
      const call = client.makeBidiStreamRequest(method, asIs, asIs);
      call.on('error', () => undefined).on('data', () => undefined);
      call.on('status', ({ code }: { readonly code: status }) => resolve(code));
      call.write(Buffer.alloc(0));
      call.end();
    });
  } finally {
    client.close();
  }
}

function mutual(own?: Pick<Svid, 'key' | 'cert'>): ChannelCredentials {
  const anyName = { checkServerIdentity: () => undefined };
  return credentials.createSsl(Buffer.from(identity.authority.roots), own?.key ?? null, own?.cert ?? null, anyName);
}

beforeAll(async () => {
  const configDir = path.join(folder, 'config');
  fs.mkdirSync(configDir);
  identity = await MeshIdentity.prepare(folder);
  identity.enroll({ name: 'client', namespace: 'default', serviceAccount: 'client' });
  await identity.startCitadel();
  await identity.startAgent();
  const proofOf = (service: string) => [
    ...['--citadel', identity.citadelAddress, '--root-cert', identity.rootsFile],
    ...['--token-file', identity.tokenFile('istio-system', service)],
  ];
  Object.assign(ports, {
    xds: await freePort(),
    config: await freePort(),
    citadel: Number(identity.citadelAddress.split(':')[1]),
  });
  const pilotPorts = { xds: 0, secureXds: ports.xds, admin: await freePort() };
  pilot = await PilotProcess.start(configDir, pilotPorts, proofOf('pilot'));
  const main = path.join(repositoryRoot, 'apps/registry/dist/main.js');
  registry = new TestProcess('registry', process.execPath, [
    ...[main, '--config-dir', configDir, '--listen', `${host}:${ports.config}`],
    ...['--admin', `${host}:${await freePort()}`, ...proofOf('registry')],
  ]);
  await registry.until(() => /^ready$/m.test(registry.output), 'ready');
  const seinectl = await identity.authority.issue({ namespace: 'istio-system', serviceAccount: 'seinectl' });
  await registry.until(
    async () => (await statusOf(ports.config, paths.read, mutual(seinectl))) === status.OK,
    'certified',
  );
  await pilot.process.until(async () => (await pilot.admin('/ready').catch(() => '')) !== '', 'certified');
});
afterAll(async () => {
  await Promise.all([pilot.stop('SIGKILL'), registry.stop('SIGKILL')]);
  await identity.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const { UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE, INVALID_ARGUMENT, OK } = status;

describe('T45: who gets in at which port', () => {
  const workload = () => identity.authority.issue({ serviceAccount: 'client' });
  const service = (serviceAccount: string) => identity.authority.issue({ namespace: 'istio-system', serviceAccount });
  const strangers: Readonly<Record<string, () => Promise<ChannelCredentials>>> = {
    'no certificate': () => Promise.resolve(mutual()),
    'a self-signed certificate': () =>
      Promise.resolve(mutual(forgedSvid({ uris: ['spiffe://cluster.local/ns/istio-system/sa/seinectl'] }))),
    'the root of another mesh': async () =>
      mutual(await (await SpiffeAuthority.make()).issue({ namespace: 'istio-system', serviceAccount: 'seinectl' })),
    'an expired certificate': async () =>
      mutual(
        await identity.authority.issue({
          namespace: 'istio-system',
          serviceAccount: 'seinectl',
          now: Date.now() - 2 * day,
          lifetimeMs: day,
        }),
      ),
  };
  const portOf = (method: keyof typeof paths) =>
    method === 'sign' ? ports.citadel : method === 'read' || method === 'write' ? ports.config : ports.xds;
  const everywhere = (Object.keys(paths) as (keyof typeof paths)[]).flatMap((method) =>
    Object.keys(strangers).map((stranger) => [method, stranger] as const),
  );

  it.each(everywhere)('%s: %s is refused', async (method, stranger) => {
    expect(await statusOf(portOf(method), paths[method], await strangers[stranger]!())).toBe(UNAUTHENTICATED);
  });

  it.each(Object.keys(paths) as (keyof typeof paths)[])('%s: there is no plain text', async (method) => {
    expect(await statusOf(portOf(method), paths[method], credentials.createInsecure())).toBe(UNAVAILABLE);
  });

  // An empty request is wrong, and only those who are let in hear of that.
  it.each<[keyof typeof paths, string, () => Promise<Svid>, status]>([
    ['xds', 'a workload', workload, INVALID_ARGUMENT],
    ['sotw', 'a workload', workload, INVALID_ARGUMENT],
    ['sign', 'a workload', workload, INVALID_ARGUMENT],
    ['read', 'a workload', workload, PERMISSION_DENIED],
    ['write', 'a workload', workload, PERMISSION_DENIED],
    ['read', 'pilot', () => service('pilot'), OK],
    ['write', 'pilot', () => service('pilot'), PERMISSION_DENIED],
    ['read', 'seinectl', () => service('seinectl'), OK],
    ['write', 'seinectl', () => service('seinectl'), OK],
  ])('%s by %s', async (method, _who, svid, code) => {
    expect(await statusOf(portOf(method), paths[method], mutual(await svid()))).toBe(code);
  });

  it('there is no port that is not in this table; all others are of this machine alone, and hold no secrets', async () => {
    const open = [pilot.process, registry, identity.citadel, identity.agent].flatMap((program) =>
      listeningPorts(program.pid).map((listening) => ({ program: program.name, ...listening })),
    );
    const admins = open.filter(({ port }) => !Object.values(ports).includes(port));
    expect(admins.map(({ program }) => program).sort()).toEqual(['agent', 'citadel', 'pilot', 'registry']);
    expect(open).toHaveLength(admins.length + Object.keys(ports).length);
    for (const { program, port, isLoopback } of admins) {
      expect({ program, isLoopback }).toEqual({ program, isLoopback: true });
      for (const target of ['/ready', '/metrics', '/healthz'])
        expect((await request(host, port, target)).body).not.toMatch(/PRIVATE KEY|eyJ|seine-join/);
    }
  });
});
