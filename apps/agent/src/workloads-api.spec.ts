import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AgentLab, chainOf, newRoot, podToken, type Root, secretIn } from './agent.fixture.js';
import type { AgentService } from './agent.service.js';
import { RecordDirectory } from './record-store.js';
import { WorkloadsApi } from './workloads-api.js';

let root: Root;
let lab: AgentLab;
let agent: AgentService;
let api: WorkloadsApi;

beforeAll(async () => {
  root = await newRoot();
});
beforeEach(async () => {
  lab = new AgentLab(root);
  await start();
});
afterEach(() => lab.end());

const at = (...parts: readonly string[]) => path.join(lab.folder, ...parts);

async function start(): Promise<void> {
  fs.writeFileSync(at('fixed.token'), 'default/fixed');
  const fixed = { name: 'fixed', namespace: 'default', serviceAccount: 'fixed', socket: at('fixed/socket') };
  const records = new RecordDirectory(at('state'), (message) => void lab.log.push(message));
  agent = await lab.start({ records, workloads: [{ ...fixed, tokenFile: at('fixed.token'), files: undefined }] });
  const { logger } = lab;
  api = new WorkloadsApi({ socket: at('admin.sock'), agent, records, fixed: new Set(['fixed']), logger });
  await api.start();
  lab.onEnd(() => api.close());
}

function stop(): void {
  api.close();
  agent.stop();
}

async function call(method: string, target: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  return await new Promise((resolve, reject) => {
    const request = http.request({ socketPath: at('admin.sock'), method, path: target }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }));
    });
    request.on('error', reject);
    request.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const vm = (more: object = {}) => ({ namespace: 'vms', serviceAccount: 'vm', socket: at('vm/socket'), ...more });
const identityAt = async (socket: string) =>
  chainOf(secretIn((await lab.sotw(socket, ['default'])).responses[0]))[0]!.subjectAltName;
const files = (folder: string) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

describe('the agent’s own API', () => {
  it('takes a workload while the agent runs, and drops it with its streams', async () => {
    expect(fs.statSync(at('admin.sock')).mode & 0o777).toBe(0o600);
    const put = await call('PUT', '/workloads/vm', vm({ token: 'vms/vm' }));
    expect(put).toMatchObject({ status: 200, body: { name: 'vm', namespace: 'vms', serviceAccount: 'vm' } });
    const stream = await lab.sotw(at('vm/socket'), ['default']);
    expect(await identityAt(at('vm/socket'))).toBe('URI:spiffe://cluster.local/ns/vms/sa/vm');
    const { body } = await call('GET', '/workloads');
    expect(body).toMatchObject({
      workloads: [{ name: 'fixed' }, { name: 'vm', certificateUntil: expect.any(String) }],
    });
    expect(await call('DELETE', '/workloads/vm')).toEqual({ status: 200, body: {} });
    await lab.until(() => stream.error !== undefined);
    expect([fs.existsSync(at('vm/socket')), agent.workloads().map(({ name }) => name)]).toEqual([false, ['fixed']]);
    // What is left is of the other one.
    expect(files(at('state')).map((file) => /sa\/(\w+)/.exec(fs.readFileSync(file, 'utf8'))?.[1])).toEqual(['fixed']);
    expect(await call('DELETE', '/workloads/vm')).toMatchObject({ status: 404 });
  });

  it('lets an equal workload be, and replaces another of the same name', async () => {
    await call('PUT', '/workloads/vm', vm({ token: 'vms/vm' }));
    const stream = await lab.sotw(at('vm/socket'), ['default']);
    await call('PUT', '/workloads/vm', vm());
    expect(stream.error).toBeUndefined();
    await call('PUT', '/workloads/vm', vm({ serviceAccount: 'other', token: 'vms/other' }));
    await lab.until(() => stream.error !== undefined);
    expect(await identityAt(at('vm/socket'))).toMatch(/sa\/other$/);
  });

  it('goes on after a restart without a fresh join token: by the certificate that was kept with mode 600', async () => {
    await call('PUT', '/workloads/vm', vm({ token: 'vms/vm' }));
    const before = await lab.sotw(at('vm/socket'), ['default']);
    const kept = files(at('state'));
    expect(kept.map((file) => fs.statSync(file).mode & 0o777)).toEqual(kept.map(() => 0o600));
    // Of the VM, and of the one with a token file that is no JWT.
    expect(kept.filter((file) => fs.readFileSync(file, 'utf8').includes('PRIVATE KEY'))).toHaveLength(2);
    stop();
    // Not even citadel is there.
    lab.isAway = true;
    lab.proofs.length = 0;
    await start();
    const after = await lab.sotw(at('vm/socket'), ['default']);
    const serial = (stream: typeof after) => chainOf(secretIn(stream.responses[0]))[0]!.serialNumber;
    expect([serial(after), lab.proofs]).toEqual([serial(before), []]);
  });

  it('renews a kept certificate by itself, and says why where its time is over', async () => {
    lab.lifetimeMs = 3_000;
    await call('PUT', '/workloads/vm', vm({ token: 'vms/vm' }));
    await lab.sotw(at('vm/socket'), ['default']);
    stop();
    lab.proofs.length = 0;
    await start();
    await lab.until(() => lab.proofs.filter((by) => by === 'certificate').length >= 2);
    stop();
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await start();
    await lab.until(() => lab.log.some((line) => line.includes('vm: the certificate that was kept cannot be used')));
    expect(lab.log.join('')).toMatch(/vm: no certificate: there is no token to ask with/);
  });

  it('S-4: shows in a metric how long a certificate lives, and that it has expired while citadel is away', async () => {
    lab.lifetimeMs = 2_000;
    await call('PUT', '/workloads/vm', vm({ token: 'vms/vm' }));
    await lab.sotw(at('vm/socket'), ['default']);
    lab.isAway = true;
    const left = async () => {
      const { values } = await lab.metrics.getSingleMetric('istio_agent_cert_expiry_seconds')!.get();
      return values.find(({ labels }) => labels['workload'] === 'vm')!.value;
    };
    expect(await left()).toBeGreaterThan(0);
    expect(agent.waiting()).toEqual([]);
    await lab.until(() => agent.waiting().includes('vm'));
    expect(await left()).toBeLessThanOrEqual(0);
    expect(lab.log.join('')).toMatch(/vm: no certificate: away; next try in \d+ ms/);
  });

  it('writes down no key of a workload whose token is read again', async () => {
    fs.writeFileSync(at('jwt'), podToken('pod', 'uid'));
    await call('PUT', '/workloads/pod', vm({ namespace: 'default', serviceAccount: 'pod', tokenFile: at('jwt') }));
    expect(await identityAt(at('vm/socket'))).toMatch(/sa\/pod$/);
    const texts = files(at('state/workloads')).concat(files(at('state/certificates')));
    expect(texts.filter((file) => fs.readFileSync(file, 'utf8').includes('"pod"'))).toHaveLength(1);
    expect(texts.map((file) => fs.readFileSync(file, 'utf8')).filter((text) => /eyJ|sa\/pod/.test(text))).toEqual([]);
  });

  const whole = { namespace: 'n', serviceAccount: 'a', socket: '/s' };
  it.each<[string, string, string, unknown, number, RegExp]>([
    ['junk', 'PUT', '/workloads/vm', '{', 400, /no JSON/],
    ['a list', 'PUT', '/workloads/vm', [], 400, /namespace: required|socket: required/],
    ['no namespace', 'PUT', '/workloads/vm', { serviceAccount: 'a', socket: '/s' }, 400, /namespace: required/],
    ['a relative socket', 'PUT', '/workloads/vm', { socket: 's' }, 400, /'s' is not an absolute path/],
    ['a number', 'PUT', '/workloads/vm', { namespace: 1, socket: '/s' }, 400, /namespace: not a text/],
    ['a long socket', 'PUT', '/workloads/vm', { socket: `/${'s'.repeat(120)}` }, 400, /longer than 107 bytes/],
    ['files that are none', 'PUT', '/workloads/vm', { socket: '/s', files: 'x' }, 400, /files: not a list/],
    ['an Envoy at no port', 'PUT', '/workloads/vm', { ...whole, envoy: 'here' }, 400, /envoy 'here' is not HOST:PORT/],
    ['metrics beside no Envoy', 'PUT', '/workloads/vm', { ...whole, scrape: 'a:1/m' }, 400, /scrape lacks envoy/],
    ['a name out of place', 'PUT', '/workloads/..', {}, 400, /a name has/],
    ['one of the command line', 'PUT', '/workloads/fixed', {}, 409, /command line/],
    ['another method', 'POST', '/workloads/vm', {}, 405, /neither PUT nor DELETE/],
    ['another path', 'GET', '/secrets', undefined, 404, /there is \/workloads/],
    ['a body of 70 kB', 'PUT', '/workloads/vm', 'x'.repeat(70_000), 413, /at most/],
  ])('refuses %s', async (_what, method, target, body, status, reason) => {
    const answer = await call(method, target, body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toMatch(reason);
    expect(agent.workloads().map(({ name }) => name)).toEqual(['fixed']);
  });

  it('does not put a workload on the socket of another, and keeps what is there', async () => {
    await call('PUT', '/workloads/vm', vm({ token: 'vms/vm' }));
    const answer = await call('PUT', '/workloads/vm', vm({ socket: at('fixed/socket') }));
    expect(answer).toMatchObject({ status: 500, body: { error: expect.stringMatching(/is of fixed alone/) } });
    expect(await identityAt(at('vm/socket'))).toMatch(/sa\/vm$/);
    const bad = await call('PUT', '/workloads/vm', vm({ serviceAccount: 'a b' }));
    expect(bad).toMatchObject({ status: 400 });
    expect(await identityAt(at('vm/socket'))).toMatch(/sa\/vm$/);
  });
});
