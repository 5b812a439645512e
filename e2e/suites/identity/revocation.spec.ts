import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AdsClient, aNode } from '@seine/testing';
import { freePort, repositoryRoot, TestMesh, TestProcess, tlsRequest } from '../../src/index.js';
import { serials } from './identity-lab.js';

jest.setTimeout(180_000);

const host = '127.0.0.1';
const lost = 'spiffe://cluster.local/ns/default/sa/client';
const clusterType = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
/** Of the registry: what it is told, it keeps as YAML, and pilot follows the folder. */
const applied = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-revocation-'));
const main = (app: string) => path.join(repositoryRoot, `apps/${app}/dist/main.js`);
const run = promisify(execFile);
let mesh: TestMesh;
let registry: TestProcess;
let configApi: string;
const clients: AdsClient[] = [];

beforeAll(async () => {
  mesh = await TestMesh.start({
    // Short, so that the agent asks citadel again and again.
    identity: { ttl: 20 },
    workloads: [{ name: 'web-v1', sidecar: true }],
    pilotArguments: ['--config-dir', applied],
  });
  configApi = `${host}:${await freePort()}`;
  const args = ['--state', applied, '--listen', configApi, '--admin', `${host}:${await freePort()}`];
  registry = new TestProcess('registry', process.execPath, [main('registry'), ...args]);
  await registry.until(() => /^ready$/m.test(registry.output), 'ready');
});
afterAll(async () => {
  for (const client of clients) client.close();
  await registry.stop('SIGKILL');
  await mesh.stop();
  fs.rmSync(applied, { recursive: true, force: true });
});

/** What an operator types. */
async function revoke(...args: readonly string[]): Promise<readonly { readonly spiffeId: string }[]> {
  const { citadelAdmin, stateDir } = mesh.identity;
  const where = ['--citadel-admin', citadelAdmin, '--citadel-token', path.join(stateDir, 'admin.token')];
  const line = [main('seinectl'), 'ca', 'revoke', ...args, ...where, '--config-api', configApi, '-o', 'json'];
  const { stdout } = await run(process.execPath, line);
  return JSON.parse(stdout) as readonly { readonly spiffeId: string }[];
}

const callsOfClient = async () => (await mesh.call('http://web:8080/')).status;

/** With a certificate of before, past all Envoys but the server's. */
async function callAs(account: string): Promise<number | undefined> {
  const { address } = mesh.workloads.get('web-v1')!;
  const client = await mesh.svid(account);
  return (await tlsRequest(address, 8080, { servername: 'web', client, alpn: ['istio'] })).status;
}

/** A proxy of that account, by its certificate. */
async function stream(account: string) {
  const { key, cert, ca } = await mesh.svid(account);
  const secured = credentials.createSsl(ca, key, cert, { checkServerIdentity: () => undefined });
  const client = new AdsClient(`${host}:${mesh.pilot.ports.secureXds}`, { credentials: secured });
  clients.push(client);
  return client.open('delta', aNode()).request({ typeUrl: clusterType });
}

const until = (condition: () => Promise<boolean>, what: string) => mesh.citadel.until(condition, what, 60_000);

/** In the order of a life: each test goes on where the last one ended. */
describe('seinectl ca revoke', () => {
  it('has servers refuse the identity, pilot end its streams, and citadel sign nothing for it', async () => {
    expect([await callsOfClient(), await callAs('client'), await callAs('friend')]).toEqual([200, 200, 200]);
    const [itsStream, friends] = [await stream('client'), await stream('friend')];
    await Promise.all([itsStream.next(), friends.next()]);

    expect((await revoke(lost, '--reason', 'laptop lost')).map(({ spiffeId }) => spiffeId)).toEqual([lost]);
    expect(await itsStream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    const again = await stream('client');
    expect(await Promise.race([again.ended, again.next().catch(() => again.ended)])).toHaveProperty('code');
    await until(async () => (await callAs('client')) === 403, 'refused by the server');
    expect(await callsOfClient()).toBe(403);
    expect(await callAs('friend')).toBe(200);
    expect(await (await stream('friend')).next()).toBeDefined();
    await until(
      () => Promise.resolve(/client: .*(PERMISSION_DENIED|denied|revoked)/i.test(mesh.agent.output)),
      'refused by citadel',
    );
    expect(mesh.agent.output).not.toMatch(/web-v1: .*(PERMISSION_DENIED|denied|revoked)/i);
  });

  it('tells who is revoked', async () => {
    expect((await revoke()).map(({ spiffeId }) => spiffeId)).toEqual([lost]);
  });

  it('with --undo all is as before', async () => {
    const { adminPort } = mesh.client;
    const before = await serials(adminPort);
    expect(await revoke(lost, '--undo')).toEqual([]);
    await until(async () => (await callAs('client')) === 200, 'let in by the server');
    await until(async () => (await callsOfClient()) === 200, 'let in as an Envoy');
    await until(async () => (await serials(adminPort)).some((one) => !before.includes(one)), 'certified anew');
    expect(await (await stream('client')).next()).toBeDefined();
  });
});
