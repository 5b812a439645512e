import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { closeConnections, freePort, repositoryRoot, request, type TestProcess, tlsRequest } from '../../src/index.js';
import { forgedSvid } from './forged-svid.js';
import {
  counted,
  fetchable,
  freePorts,
  host,
  IdentityLab,
  idOf,
  leaves,
  makeAuthority,
  rootSerials,
  serials,
} from './identity-lab.js';
import type { PlainEnvoyOptions } from './plain-envoy.js';

jest.setTimeout(180_000);

/** Seconds: long enough for a busy machine to renew in time, short enough to see it several times. */
const shortLife = 8;
const state = () => ['--state', lab.at('agent-state')];
const pair = { client: 'client', server: 'server' };
/** What counts where a connection of callers or between the two ended otherwise than in good order. */
const harm =
  /cx_connect_fail|_with_active_rq|rq_pending_failure_eject|ssl\.connection_error|fail_verify|total_listeners_draining|filter_chains_draining|listener_(modified|removed|stopped)/;

let lab: IdentityLab;
let client: TestProcess;
let server: TestProcess;

beforeAll(async () => {
  lab = await IdentityLab.start();
});
afterAll(async () => {
  await lab.stop();
  closeConnections();
});

interface Load {
  readonly statuses: ReadonlyMap<number | string, number>;
  /** How many connections the callers needed. */
  readonly connections: number;
}

/** Four callers, each on one connection that it keeps, until the function has ended: 300 requests/s where nothing else runs. */
async function underLoad(meanwhile: () => Promise<void>): Promise<Load> {
  const statuses = new Map<number | string, number>();
  const sockets = new Set<unknown>();
  let isOver = false;
  const caller = async (): Promise<void> => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) {
      const status = await new Promise<number | string>((resolve) => {
        const call = http.get({ host, port: lab.ports.client, agent }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode ?? 0));
        });
        call.once('socket', (socket) => sockets.add(socket)).once('error', (error) => resolve(String(error)));
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    agent.destroy();
  };
  const callers = [caller(), caller(), caller(), caller()];
  try {
    await meanwhile();
  } finally {
    isOver = true;
    await Promise.all(callers);
  }
  return { statuses, connections: sockets.size };
}

/** Whether all certificates of an Envoy live for longer than the short ones. */
async function areLongLived(adminPort: number): Promise<boolean> {
  const inUse = await leaves(adminPort);
  return inUse.length > 0 && inUse.every((leaf) => Date.parse(leaf.expiration_time) > Date.now() + 600_000);
}

async function rotate(step: 'prepare' | 'activate' | 'retire'): Promise<number> {
  const token = fs.readFileSync(lab.at('citadel/admin.token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  // Certificates might live for ninety days here: that all are replaced is what the test sees.
  const body = JSON.stringify({ step, force: step === 'retire' });
  return (await request(host, lab.citadelAdmin, '/ca/rotate', { method: 'POST', headers, body })).status;
}

/** What citadel signs with now, for what it would not sign. @param folder for `ca-cert.pem` and `ca-key.pem` */
function copyAuthority(folder: string): void {
  const revision = (name: string): number => Number(/^authority\.(\d+)\.json$/.exec(name)?.[1] ?? -1);
  const newest = Math.max(...fs.readdirSync(lab.at('citadel/ca')).map(revision));
  const text = fs.readFileSync(lab.at(`citadel/ca/authority.${newest}.json`), 'utf8');
  const { active } = JSON.parse(text) as { readonly active: { readonly certificate: string; readonly key: string } };
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'ca-cert.pem'), active.certificate);
  fs.writeFileSync(path.join(folder, 'ca-key.pem'), active.key, { mode: 0o600 });
}

/** In the order of a life: each test goes on where the last one ended. */
describe('plain Envoys with certificates from the agent', () => {
  let citadel: TestProcess;
  let agent: TestProcess;

  it('come up whoever was first: Envoy before the agent, the agent before citadel', async () => {
    client = await lab.startEnvoy('client');
    server = await lab.startEnvoy('server');
    await client.until(() => fetchable(lab.ports.clientAdmin), 'up');
    await server.until(() => fetchable(lab.ports.serverAdmin), 'up');
    expect(await lab.succeeds()).toBe(false);
    agent = await lab.startAgent(pair, ['--ttl', String(shortLife), ...state()]);
    await agent.until(() => agent.output.includes('is not there'), 'without roots');
    citadel = await lab.startCitadel();
    await client.until(() => lab.succeeds(), 'answered');
    expect(await lab.seenAs()).toContain(`URI=${idOf('client')}`);
  });

  it('S-1: get certificate and roots over a socket that others cannot reach, and know each other by their identities only', async () => {
    // The same server, of whom another identity is expected.
    expect((await lab.call(lab.ports.wrong)).status).toBe(503);
    const stranger = await tlsRequest(host, lab.ports.server, { servername: 'server' });
    expect(stranger.status).toBeUndefined();
    for (const account of ['client', 'server']) {
      expect(fs.statSync(lab.socketOf(account)).mode & 0o777).toBe(0o660);
      expect(fs.statSync(path.dirname(lab.socketOf(account))).mode & 0o777).toBe(0o700);
    }
  });

  it('S-2: change certificates under load: no request fails, no connection ends, no listener drains', async () => {
    const before = [await counted(lab.ports.clientAdmin, harm), await counted(lab.ports.serverAdmin, harm)];
    const seen = { client: new Set<string>(), server: new Set<string>() };
    const { statuses, connections } = await underLoad(async () => {
      await client.until(async () => {
        for (const serial of await serials(lab.ports.clientAdmin)) seen.client.add(serial);
        for (const serial of await serials(lab.ports.serverAdmin)) seen.server.add(serial);
        return seen.client.size >= 4 && seen.server.size >= 4;
      }, 'renewed three times');
    });
    expect([[...statuses.keys()], connections]).toEqual([[200], 4]);
    expect(statuses.get(200)).toBeGreaterThan(100);
    const after = [await counted(lab.ports.clientAdmin, harm), await counted(lab.ports.serverAdmin, harm)];
    expect(after).toEqual(before);
  });

  it('S-3: have a new root before anything that it signs, and go on under load through a whole rotation', async () => {
    const [{ clientAdmin, serverAdmin }] = [lab.ports];
    const [old] = await rootSerials(clientAdmin);
    const haveRoots = async (count: number): Promise<boolean> =>
      (await rootSerials(clientAdmin)).size === count && (await rootSerials(serverAdmin)).size === count;
    const { statuses } = await underLoad(async () => {
      expect(await rotate('prepare')).toBe(200);
      // The row's bound: five seconds, by citadel's stream and not by the file.
      await client.until(() => haveRoots(2), 'with both roots', 5_000);
      const before = new Set([...(await serials(clientAdmin)), ...(await serials(serverAdmin))]);
      await client.until(async () => (await rotate('activate')) === 200, 'activated');
      const haveNewLeaves = async (): Promise<boolean> =>
        [...(await serials(clientAdmin)), ...(await serials(serverAdmin))].every((serial) => !before.has(serial));
      await client.until(haveNewLeaves, 'with leaves of the new root');
      expect(await rotate('retire')).toBe(200);
      await client.until(() => haveRoots(1), 'with the new root only');
    });
    expect(await rootSerials(clientAdmin)).not.toContain(old);
    expect([...statuses.keys()]).toEqual([200]);
  });

  it('S-5: come back by themselves when citadel was away for longer than a certificate lives', async () => {
    await citadel.stop('SIGKILL');
    await client.until(async () => !(await lab.succeeds()), 'expired');
    // Pauses would have grown beyond ten seconds by then.
    await agent.until(() => (agent.output.match(/next try in/g) ?? []).length > 12, 'tried often');
    citadel = await lab.startCitadel();
    // The row's bound: ten seconds.
    await client.until(() => lab.succeeds(), 'answered again', 10_000);
    expect(await lab.seenAs()).toContain(`URI=${idOf('client')}`);
  });

  it('go on when the agent is killed, and take certificates of the next one', async () => {
    const { clientAdmin, serverAdmin } = lab.ports;
    // Its file of roots is older than the rotation: what citadel said last is what it knows it by.
    const restart = () => lab.startAgent(pair, ['--ttl', '3600', ...state()]);
    await agent.stop('SIGKILL');
    agent = await restart();
    await client.until(() => lab.succeeds(), 'answered again');
    // Those of the new agent live for an hour; until they are there, the killed one would be missed.
    await client.until(
      async () => (await areLongLived(clientAdmin)) && (await areLongLived(serverAdmin)),
      'long-lived',
    );
    await agent.stop('SIGKILL');
    const before = await serials(clientAdmin);
    const replies = [];
    for (let index = 0; index < 100; index++) replies.push(await lab.call());
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    agent = await restart();
    await client.until(async () => (await serials(clientAdmin)).some((one) => !before.includes(one)), 'renewed');
    expect(await lab.succeeds()).toBe(true);
    expect(agent.output).not.toMatch(/PRIVATE KEY|eyJ/);
    lab.publishRoots();
  });

  it('get on a shared socket the identity that their token proves, and S-7: none without', async () => {
    const sharedSocket = lab.at('shared/socket');
    const workloads = { 'shared-client': 'client', 'shared-stranger': 'stranger' };
    const flags = Object.entries(workloads).flatMap(([name, account]) => {
      fs.writeFileSync(lab.tokenFileOf(name), lab.tokenOf(account));
      return ['--workload', `${name}=default/${account},token-file=${lab.tokenFileOf(name)},socket=${sharedSocket}`];
    });
    const sharing = await lab.program('agent', [...lab.citadelFlags, ...flags]);
    const start = async (change: Partial<PlainEnvoyOptions>) => {
      const own = { ...(await freePorts()), server: lab.ports.server };
      const envoy = await lab.startEnvoy('client', { ports: own, socket: sharedSocket, ...change });
      await envoy.until(() => fetchable(own.clientAdmin), 'up');
      return { envoy, own };
    };
    const right = await start({ tokenFile: lab.tokenFileOf('shared-client') });
    await right.envoy.until(() => lab.succeeds(right.own.client), 'answered');
    expect(await lab.seenAs(right.own.client)).toContain(`URI=${idOf('client')}`);
    // The server lets in the client's identity only.
    const stranger = await start({ tokenFile: lab.tokenFileOf('shared-stranger') });
    await stranger.envoy.until(async () => (await serials(stranger.own.clientAdmin)).length > 0, 'certified');
    await stranger.envoy.until(() => fetchable(stranger.own.client), 'open');
    expect((await lab.call(stranger.own.client)).status).toBe(503);
    const nobody = await start({});
    await sharing.until(() => sharing.output.includes('no token says which it is'), 'asked');
    // It waits for its secrets before it lets anybody in.
    expect(await lab.succeeds(nobody.own.client)).toBe(false);
    expect(await serials(nobody.own.clientAdmin)).toEqual([]);
  });

  it('are cut off by a newline after the token, as the agent’s log and --check say', async () => {
    const socket = lab.at('trap/socket');
    const flags = ['trap-a', 'trap-b'].flatMap((name) => {
      fs.writeFileSync(lab.tokenFileOf(name), `${lab.tokenOf(name)}\n`);
      return ['--workload', `${name}=default/${name},token-file=${lab.tokenFileOf(name)},socket=${socket}`];
    });
    const trapped = await lab.program('agent', [...lab.citadelFlags, ...flags]);
    expect(trapped.output).toMatch(
      /trap-a: the token file .* has white space around the token \(a newline at its end\?\)/,
    );
    const own = { ...(await freePorts()), server: lab.ports.server };
    const envoy = await lab.startEnvoy('client', { ports: own, socket, tokenFile: lab.tokenFileOf('trap-a') });
    await envoy.until(() => /gRPC config stream.*: 13/.test(envoy.output), 'cut off with status 13');
    const check = async (): Promise<readonly [number, string]> => {
      const args = [path.join(repositoryRoot, 'apps/agent/dist/main.js'), ...lab.citadelFlags, ...flags, '--check'];
      const checked = lab.run('check', process.execPath, args);
      return [await checked.ended, checked.output];
    };
    const [code, text] = await check();
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/WRONG {2}trap-a: its token file .*status 13 and no message/),
    ]);
    expect(text).toMatch(/^ok {2}citadel at/m);
    for (const name of ['trap-a', 'trap-b']) fs.writeFileSync(lab.tokenFileOf(name), lab.tokenOf(name));
    expect((await check())[0]).toBe(0);
    await envoy.until(async () => (await serials(own.clientAdmin)).length > 0, 'certified without a restart');
  });

  it('believe another trust domain for its own identities only, and the mesh under its other names', async () => {
    const [others, ours] = [lab.at('other-ca'), lab.at('our-ca')];
    makeAuthority(others);
    copyAuthority(ours);
    const theirs = idOf('client', 'other.mesh');
    const federated = ['--federated-bundle', `other.mesh=${path.join(others, 'ca-cert.pem')}`];
    await lab.startAgent({ federated: 'server' }, [...federated, '--trust-domain-alias', 'old.mesh']);
    // One server for the client of there, one for the client of here, one for it by its former name.
    const start = async (peer: string): Promise<number> => {
      const own = { ...(await freePorts()), server: await freePort() };
      const envoy = await lab.startEnvoy('server', { ports: own, socket: lab.socketOf('federated'), peer });
      await envoy.until(async () => (await serials(own.serverAdmin).catch(() => [])).length > 0, 'certified');
      return own.server;
    };
    const former = idOf('client', 'old.mesh');
    const [forThere, forHere, forFormer] = [await start(theirs), await start(idOf('client')), await start(former)];
    const shown = async (port: number, uri: string, authority = others) =>
      (await tlsRequest(host, port, { servername: 'server', client: forgedSvid({ uris: [uri] }, authority) })).status;
    expect(await shown(forThere, theirs)).toBe(200);
    expect(await shown(forThere, idOf('other', 'other.mesh'))).toBeUndefined();
    // Their root signs what is ours: in one heap of roots this would be let in.
    expect(await shown(forHere, idOf('client'))).toBeUndefined();
    expect(await shown(forFormer, former)).toBeUndefined();
    expect(await shown(forThere, theirs, ours)).toBeUndefined();
    expect(await shown(forHere, idOf('client'), ours)).toBe(200);
    expect(await shown(forFormer, former, ours)).toBe(200);
    const own = { ...(await freePorts()), server: forHere };
    const friend = await lab.startEnvoy('client', { ports: own });
    await friend.until(() => lab.succeeds(own.client), 'answered');
  });
});
