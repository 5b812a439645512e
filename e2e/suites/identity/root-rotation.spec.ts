import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { closeConnections, repositoryRoot, TestProcess } from '../../src/index.js';
import { host, IdentityLab, rootSerials, serials } from './identity-lab.js';

jest.setTimeout(300_000);

/** Seconds: long enough for a busy machine to renew in time, short enough for an old root to go while a test looks. */
const life = 16;
const patienceMs = 120_000;
const workloads = { client: 'client', server: 'server' };
const run = promisify(execFile);
let lab: IdentityLab;
let citadel: TestProcess;
let client: TestProcess;

beforeAll(async () => {
  lab = await IdentityLab.start();
  citadel = await lab.startCitadel(['--ttl', String(life), '--max-ttl', String(life)]);
  await lab.startAgent(workloads);
  client = await lab.startEnvoy('client');
  await lab.startEnvoy('server');
  await client.until(() => lab.succeeds(), 'answered', patienceMs);
});
afterAll(async () => {
  await lab.stop();
  closeConnections();
});

/** What an operator types, as JSON. */
async function seinectl<T>(...args: readonly string[]): Promise<T> {
  const main = path.join(repositoryRoot, 'apps/seinectl/dist/main.js');
  const where = ['--citadel-admin', `${host}:${lab.citadelAdmin}`, '--citadel-token', lab.at('citadel/admin.token')];
  const { stdout } = await run(process.execPath, [main, 'ca', ...args, ...where, '-o', 'json']);
  return JSON.parse(stdout) as T;
}

interface Authority {
  readonly phase: string;
  readonly roots: readonly { readonly fingerprint: string; readonly role: string }[];
  readonly followers: readonly { readonly spiffeId: string; readonly upToDate: boolean }[];
}

const signing = ({ roots }: Authority) => roots.find(({ role }) => role === 'signing')?.fingerprint;

/** Calls all the time, each second or so over connections of its own, until it is told to end. */
function load() {
  const outcomes = new Map<string, number>();
  let isEnded = false;
  const lane = async () => {
    while (!isEnded) {
      const outcome = await lab.call().then(
        ({ status }) => String(status),
        (error: unknown) => String(error),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const lanes = Promise.all([lane(), lane(), lane()]);
  return async () => {
    isEnded = true;
    await lanes;
    return Object.fromEntries(outcomes);
  };
}

describe('C-18 a rotation of the root', () => {
  it('by itself, under load, loses no request: both trusted, then signed anew, then the old one gone', async () => {
    await client.until(
      async () => (await seinectl<Authority>('root')).followers.some(({ spiffeId }) => spiffeId !== ''),
      'followed by the agent',
      patienceMs,
    );
    const before = await seinectl<Authority>('root');
    const end = load();
    expect((await seinectl<Authority>('rotate')).phase).toBe('prepared');
    const seen = new Set<number>();
    await client.until(
      async () => {
        seen.add((await rootSerials(lab.ports.clientAdmin)).size);
        const now = await seinectl<Authority>('root');
        return now.phase === 'stable' && signing(now) !== signing(before);
      },
      'rotated',
      patienceMs,
    );
    const roots = fs.readFileSync(lab.at('citadel/ca/root-cert.pem'), 'utf8');
    const serial = new X509Certificate(roots).serialNumber.toLowerCase();
    for (const admin of [lab.ports.clientAdmin, lab.ports.serverAdmin])
      await client.until(
        async () => [...(await rootSerials(admin))].join() === serial,
        'left with the new root alone',
        patienceMs,
      );
    const outcomes = await end();
    expect(Object.keys(outcomes)).toEqual(['200']);
    expect(outcomes['200']).toBeGreaterThan(100);
    expect(seen).toContain(2);
    expect(await lab.succeeds()).toBe(true);
  });

  it('by hand is refused before its time, and forced where somebody says so', async () => {
    expect((await seinectl<Authority>('rotate', '--step', 'prepare')).phase).toBe('prepared');
    await expect(seinectl('rotate', '--step', 'retire')).rejects.toThrow(/no old root is there to retire/);
    await expect(seinectl('rotate', '--step', 'prepare')).rejects.toThrow(/under way already/);
    expect((await seinectl<Authority>('rotate', '--step', 'activate', '--force')).phase).toBe('activated');
    await expect(seinectl('rotate', '--step', 'retire')).rejects.toThrow(/wait \d+ s more, or force it/);
  });

  it('outlives citadel, killed in its midst', async () => {
    const before = await seinectl<Authority>('root');
    await citadel.stop('SIGKILL');
    citadel = await lab.startCitadel(['--ttl', String(life), '--max-ttl', String(life)]);
    const after = await seinectl<Authority>('root');
    expect(signing(after)).toBe(signing(before));
    const known = await serials(lab.ports.clientAdmin);
    await client.until(
      async () => (await serials(lab.ports.clientAdmin)).every((one) => !known.includes(one)),
      'renewed',
      patienceMs,
    );
    expect(await lab.succeeds()).toBe(true);
  });
});

describe('C-17 two citadels at the first start', () => {
  // Only what keeps the root is started: fifty pairs of whole servers would take an hour.
  const module = path.join(repositoryRoot, 'apps/citadel/dist/state/signing-directory.js');
  const script = `
    const { SigningDirectory } = await import(${JSON.stringify(`file://${module}`)});
    const options = { stateDir: process.argv[1], trustDomain: 'td', now: Date.now, rootLifetimeMs: 1e9, onProblem: console.error };
    console.log('begun');
    console.log('root ' + (await SigningDirectory.open(options)).state().active.root.replaceAll('\\n', ''));`;
  const rootOf = ({ output }: TestProcess) => /^root (.+)$/m.exec(output)?.[1];

  it('have one root, whenever one of them is killed: 50 rounds', async () => {
    const open = (stateDir: string, name: string) =>
      new TestProcess(name, process.execPath, ['--input-type=module', '-e', script, stateDir]);
    let killed = 0;
    for (let round = 0; round < 50; round++) {
      const stateDir = lab.at(`first-${round}`);
      const [one, two] = [open(stateDir, 'one'), open(stateDir, 'two')];
      const first = round % 2 === 0 ? one : two;
      await first.until(() => first.output.includes('begun'), 'begun');
      // From right away to after all is done.
      await new Promise((resolve) => setTimeout(resolve, round % 10));
      if (first.isRunning) killed++;
      first.signal('SIGKILL');
      await Promise.all([one.ended, two.ended]);
      const next = open(stateDir, 'next');
      await next.ended;
      const roots = [one, two, next].flatMap((process) => rootOf(process) ?? []);
      expect([round, roots.length >= 2, new Set(roots).size]).toEqual([round, true, 1]);
      expect(fs.readdirSync(path.join(stateDir, 'ca')).filter((name) => name.startsWith('authority'))).toHaveLength(1);
    }
    expect(killed).toBeGreaterThan(10);
  });
});
