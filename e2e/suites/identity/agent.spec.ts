import { generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  closeConnections,
  EchoServer,
  envoyBinary,
  freePort,
  type Reply,
  repositoryRoot,
  request,
  TestProcess,
  tlsRequest,
} from '@seine/e2e';
import { type Ports, plainEnvoy } from './plain-envoy.js';

jest.setTimeout(180_000);

/** Seconds: long enough for a busy machine to renew in time, short enough to see it several times. */
const shortLife = 8;
const host = '127.0.0.1';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-identity-'));
const rootFile = path.join(folder, 'citadel/ca/root-cert.pem');
const idOf = (account: string) => `spiffe://cluster.local/ns/default/sa/${account}`;
const socketOf = (account: string) => path.join(folder, account, 'socket');

/** An OpenID provider, as far as citadel asks one. */
const provider = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = http.createServer((_, response) => {
  const key = { ...provider.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }));
});

function tokenOf(account: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: 'https://provider',
    aud: 'istio-ca',
    sub: `system:serviceaccount:default:${account}`,
    exp: Math.floor(Date.now() / 1000) + 3600,
  };
  const text = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), provider.privateKey).toString('base64url')}`;
}

const running: TestProcess[] = [];
let citadelPort: number;
let ports: Ports;
let echo: EchoServer;
let client: TestProcess;
let server: TestProcess;

async function program(app: 'agent' | 'citadel', args: readonly string[]): Promise<TestProcess> {
  const main = path.join(repositoryRoot, `apps/${app}/dist/main.js`);
  const started = new TestProcess(app, process.execPath, [main, ...args, '--admin', `${host}:${await freePort()}`]);
  running.push(started);
  await started.until(() => /^ready$/m.test(started.output), 'ready');
  return started;
}

async function startCitadel(): Promise<TestProcess> {
  const { port } = jwks.address() as AddressInfo;
  const oidc = ['--oidc-issuer', 'https://provider', '--oidc-jwks', `http://${host}:${port}/`];
  const serve = ['--state', path.join(folder, 'citadel'), '--listen', `${host}:${citadelPort}`];
  return await program('citadel', [...serve, ...oidc]);
}

const tokenFileOf = (workload: string) => path.join(folder, `${workload}.token`);
const sharedSocket = path.join(folder, 'shared/socket');

/** One agent for all: client and server have a socket each, two more share one. */
async function startAgent(life: number): Promise<TestProcess> {
  const all = { client: 'client', server: 'server', 'shared-client': 'client', 'shared-stranger': 'stranger' };
  const workloads = Object.entries(all).flatMap(([name, account]) => {
    fs.writeFileSync(tokenFileOf(name), tokenOf(account));
    const socket = name.startsWith('shared') ? sharedSocket : socketOf(name);
    return ['--workload', `${name}=default/${account},token-file=${tokenFileOf(name)},socket=${socket}`];
  });
  const citadel = ['--citadel', `${host}:${citadelPort}`, '--root-cert', rootFile];
  return await program('agent', [...citadel, ...workloads, '--ttl', String(life)]);
}

type EnvoyOptions = Parameters<typeof plainEnvoy>[1];

async function startEnvoy(name: 'client' | 'server', change: Partial<EnvoyOptions> = {}): Promise<TestProcess> {
  const peer = idOf(name === 'client' ? 'server' : 'client');
  const options = { ports, peer, socket: socketOf(name), echoPort: echo.port, ...change };
  const file = path.join(folder, `${name}-${running.length}.json`);
  fs.writeFileSync(file, JSON.stringify(plainEnvoy(name, options)));
  const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
  const envoy = new TestProcess(name, await envoyBinary(), args);
  running.push(envoy);
  return envoy;
}

interface EchoAnswer {
  readonly headers: Readonly<Record<string, string>>;
}

async function call(port = ports.client): Promise<Reply> {
  return await request(host, port, '/');
}

/** No answer at all counts as none of 200, too. */
async function succeeds(port = ports.client): Promise<boolean> {
  return await call(port).then(
    ({ status }) => status === 200,
    () => false,
  );
}

interface Leaf {
  readonly serial_number: string;
  readonly expiration_time: string;
}

interface Certs {
  readonly certificates?: readonly { readonly cert_chain?: readonly Leaf[] }[];
}

/** The certificates that an Envoy has in use, without what signed them. */
async function leaves(adminPort: number): Promise<readonly Leaf[]> {
  const { body } = await request(host, adminPort, '/certs');
  const { certificates = [] } = JSON.parse(body) as Certs;
  return certificates.flatMap(({ cert_chain: chain = [] }) => chain.slice(0, 1));
}

async function serials(adminPort: number): Promise<readonly string[]> {
  return (await leaves(adminPort)).map((leaf) => leaf.serial_number);
}

/** Whether all certificates of an Envoy live for longer than the short ones. */
async function areLongLived(adminPort: number): Promise<boolean> {
  const inUse = await leaves(adminPort);
  return inUse.length > 0 && inUse.every((leaf) => Date.parse(leaf.expiration_time) > Date.now() + 600_000);
}

beforeAll(async () => {
  await new Promise<void>((resolve) => jwks.listen(0, host, resolve));
  citadelPort = await freePort();
  ports = {
    client: await freePort(),
    wrong: await freePort(),
    server: await freePort(),
    clientAdmin: await freePort(),
    serverAdmin: await freePort(),
  };
  echo = await EchoServer.listen('echo', host, 0);
});
afterAll(async () => {
  await Promise.all(running.map((started) => started.stop('SIGKILL')));
  await echo.close();
  closeConnections();
  jwks.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** In the order of a life: each test goes on where the last one ended. */
describe('plain Envoys with certificates from the agent', () => {
  let citadel: TestProcess;
  let agent: TestProcess;

  it('come up whoever was first: Envoy before the agent, the agent before citadel', async () => {
    client = await startEnvoy('client');
    server = await startEnvoy('server');
    await client.until(() => fetchable(ports.clientAdmin), 'up');
    await server.until(() => fetchable(ports.serverAdmin), 'up');
    expect(await succeeds()).toBe(false);
    agent = await startAgent(shortLife);
    await agent.until(() => agent.output.includes('is not there'), 'without roots');
    citadel = await startCitadel();
    await client.until(() => succeeds(), 'answered');
    const { headers } = JSON.parse((await call()).body) as EchoAnswer;
    expect(headers['x-forwarded-client-cert']).toContain(`URI=${idOf('client')}`);
  });

  it('S-1 know each other by their identities only', async () => {
    // The same server, of whom another identity is expected.
    expect((await call(ports.wrong)).status).toBe(503);
    const stranger = await tlsRequest(host, ports.server, { servername: 'server' });
    expect(stranger.status).toBeUndefined();
    for (const account of ['client', 'server']) {
      expect(fs.statSync(socketOf(account)).mode & 0o777).toBe(0o660);
      expect(fs.statSync(path.dirname(socketOf(account))).mode & 0o777).toBe(0o700);
    }
  });

  it('S-2 change certificates under load without a failed request', async () => {
    const seen = { client: new Set<string>(), server: new Set<string>() };
    const statuses = new Map<number | string, number>();
    const isDone = () => seen.client.size >= 4 && seen.server.size >= 4;
    const deadline = Date.now() + 120_000;
    const load = async () => {
      while (!isDone() && Date.now() < deadline) {
        const status = await call().then(
          (reply) => reply.status,
          (error: unknown) => String(error),
        );
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const watch = async () => {
      while (!isDone() && Date.now() < deadline) {
        for (const serial of await serials(ports.clientAdmin)) seen.client.add(serial);
        for (const serial of await serials(ports.serverAdmin)) seen.server.add(serial);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    await Promise.all([load(), load(), load(), load(), watch()]);
    expect([seen.client.size >= 4, seen.server.size >= 4]).toEqual([true, true]);
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(100);
  });

  it('S-5 come back by themselves when citadel was away for longer than a certificate lives', async () => {
    await citadel.stop('SIGKILL');
    await client.until(async () => !(await succeeds()), 'expired');
    citadel = await startCitadel();
    await client.until(() => succeeds(), 'answered again');
  });

  it('go on when the agent is killed, and take certificates of the next one', async () => {
    await agent.stop('SIGKILL');
    agent = await startAgent(3600);
    await client.until(() => succeeds(), 'answered again');
    // Those of the new agent live for an hour; until they are there, the killed one would be missed.
    await client.until(
      async () => (await areLongLived(ports.clientAdmin)) && (await areLongLived(ports.serverAdmin)),
      'long-lived',
    );
    await agent.stop('SIGKILL');
    const before = await serials(ports.clientAdmin);
    const replies = [];
    for (let index = 0; index < 100; index++) replies.push(await call());
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    agent = await startAgent(3600);
    await client.until(async () => (await serials(ports.clientAdmin)).some((one) => !before.includes(one)), 'renewed');
    expect(await succeeds()).toBe(true);
    expect(agent.output).not.toMatch(/PRIVATE KEY|eyJ/);
  });

  it('get on a shared socket the identity that their token proves, and S-7 none without', async () => {
    const start = async (change: Partial<EnvoyOptions>) => {
      const own = { ...ports, client: await freePort(), wrong: await freePort(), clientAdmin: await freePort() };
      const envoy = await startEnvoy('client', { ports: own, socket: sharedSocket, ...change });
      await envoy.until(() => fetchable(own.clientAdmin), 'up');
      return { envoy, own };
    };
    const right = await start({ tokenFile: tokenFileOf('shared-client') });
    await right.envoy.until(() => succeeds(right.own.client), 'answered');
    const { headers } = JSON.parse((await call(right.own.client)).body) as EchoAnswer;
    expect(headers['x-forwarded-client-cert']).toContain(`URI=${idOf('client')}`);
    // The server lets in the client's identity only.
    const stranger = await start({ tokenFile: tokenFileOf('shared-stranger') });
    await stranger.envoy.until(async () => (await serials(stranger.own.clientAdmin)).length > 0, 'certified');
    await stranger.envoy.until(() => fetchable(stranger.own.client), 'open');
    expect((await call(stranger.own.client)).status).toBe(503);
    const nobody = await start({});
    await agent.until(() => agent.output.includes('no token says which it is'), 'asked');
    // It waits for its secrets before it lets anybody in.
    expect(await succeeds(nobody.own.client)).toBe(false);
    expect(await serials(nobody.own.clientAdmin)).toEqual([]);
  });
});

async function fetchable(port: number): Promise<boolean> {
  return await request(host, port, '/').then(
    () => true,
    () => false,
  );
}
