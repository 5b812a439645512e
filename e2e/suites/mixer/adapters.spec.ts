import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { verifyAuditLog } from '@seine/mixer-adapters';
import { poll } from '@seine/testing';
import {
  documents,
  freePort,
  meshConfigYaml,
  OpaServer,
  type RequestOptions,
  repositoryRoot,
  type Seen,
  TestProcess,
} from '../../src/index.js';
import { mixerYaml, PolicyMesh, untilStatus } from './policy-mesh.js';

jest.setTimeout(240_000);
const example = path.join(repositoryRoot, 'examples/mixer-adapter');
let mesh: PolicyMesh;
let folder: string;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-adapters-'));
  mesh = await PolicyMesh.start({ workloads: [{ name: 'ratings-v1', sidecar: true }] });
  const flags = ['--config-dir', mesh.mesh.configDir, '--adapter', path.join(example, 'dist/business-hours.js')];
  await mesh.mixer.stop();
  await mesh.mixer.start(mesh.mesh.identity, flags);
  await mesh.mesh.apply('mesh-config', meshConfigYaml({ policyCheckFailOpen: false }));
});
afterAll(async () => {
  await mesh.stop();
  fs.rmSync(folder, { recursive: true });
});
afterEach(() => mesh.clear());

const call = (options: RequestOptions = {}) => mesh.mesh.call('http://ratings:8080/', options);
const instance = (name: string, compiledTemplate: string, params: object = {}) =>
  mixerYaml('instance', name, { compiledTemplate, params });
const rule = (name: string, more: object = {}) =>
  mixerYaml('rule', name, { actions: [{ handler: name, instances: [name] }], ...more });

it('an adapter of the user’s own, loaded by --adapter, decides', async () => {
  // Hours that are over, or far from now.
  const [open, close] = new Date().getUTCHours() < 12 ? [20, 24] : [5, 8];
  const hours = (params: object) =>
    documents(
      mixerYaml('handler', 'hours', { compiledAdapter: 'business-hours', params }),
      instance('hours', 'checknothing'),
      rule('hours'),
    );
  await mesh.apply(hours({ open, close }));
  const { body } = await untilStatus(403, call);
  expect(body).toBe(`PERMISSION_DENIED:hours.istio-system:closed until ${open}:00 UTC`);
  await mesh.apply(hours({ open: 0, close: 24 }));
  await untilStatus(200, call);
});

describe('an adapter that is a process of its own', () => {
  let port: number;
  let adapter: TestProcess;
  const start = async (): Promise<void> => {
    const program = path.join(example, 'dist/api-keys.js');
    adapter = new TestProcess('api-keys', process.execPath, [program, `127.0.0.1:${port}`]);
    await adapter.until(() => adapter.output.includes('ready'), 'ready');
  };
  beforeAll(async () => {
    port = await freePort();
    await start();
  });
  afterAll(() => adapter.stop('SIGKILL'));

  it('decides, and gives headers; while it is away the rule says what becomes of requests', async () => {
    const yaml = fs.readFileSync(path.join(example, 'config/api-keys.yaml'), 'utf8');
    await mesh.apply(yaml.replaceAll('127.0.0.1:9070', `127.0.0.1:${port}`));
    const { body } = await untilStatus(401, () => call({ headers: { 'x-api-key': 'k-7' } }));
    expect(body).toBe('UNAUTHENTICATED:keys.istio-system:no such API key');
    const known = await untilStatus(200, () => call({ headers: { 'x-api-key': 'k-2', 'x-team': 'forged' } }));
    expect((JSON.parse(known.body) as Seen).headers['x-team']).toBe('green');

    await adapter.stop('SIGKILL');
    // A key that nothing is remembered of.
    const { body: away } = await untilStatus(500, () => call({ headers: { 'x-api-key': 'k-8' } }));
    expect(away).toBe('INTERNAL:keys.istio-system:the policy could not be checked');
    await start();
    await untilStatus(401, () => call({ headers: { 'x-api-key': 'k-9' } }));
  });
});

describe('Open Policy Agent', () => {
  let opa: OpaServer;
  beforeAll(async () => {
    opa = await OpaServer.start();
  });
  afterAll(() => opa.stop());

  const rego = `package mixerauthz
import rego.v1
default allow := false
allow if {
  input.subject.user == "anna"
  input.action.method == "GET"
}
`;
  const rules = (policy: readonly string[]) =>
    documents(
      mixerYaml('handler', 'agent', {
        compiledAdapter: 'opa',
        params: { url: opa.url, policy, checkMethod: 'data.mixerauthz.allow', failClose: true, timeout: '5s' },
      }),
      instance('agent', 'authorization', {
        subject: { user: 'request.headers["x-user"] | ""' },
        action: { method: 'request.method', path: 'request.path' },
      }),
      mixerYaml(
        'rule',
        'agent',
        { actions: [{ handler: 'agent', instances: ['agent'] }] },
        { annotations: { 'policy.seine.dev/timeout': '10s' } },
      ),
    );
  const as = (user: string, method = 'GET') => call({ method, headers: { 'x-user': user } });

  it('decides by the Rego that the handler has', async () => {
    await mesh.apply(rules([rego]));
    await untilStatus(200, () => as('anna'));
    const { body } = await untilStatus(403, () => as('bob'));
    expect(body).toBe('PERMISSION_DENIED:agent.istio-system:opa: request was rejected');
    expect((await as('anna', 'POST')).status).toBe(403);
    const policies = await fetch(`${opa.url}/v1/policies`).then(async (answer) => await answer.text());
    expect(policies).toContain('seine/agent');
  });

  it('refuses Rego that is none, and the handler of before goes on', async () => {
    await mesh.apply(rules([rego]));
    await untilStatus(200, () => as('anna'));
    await mesh.apply(rules(['package mixerauthz\nallow if {']));
    const status = async () => await (await fetch(`http://${mesh.mixer.adminAddress}/debug/policy`)).text();
    let last = '';
    await poll(
      async () => /OPA answers 400.*line 2/.test((last = await status())),
      'the handler’s status',
      30_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${last}`);
    });
    expect((await as('anna')).status).toBe(200);
    expect((await as('bob')).status).toBe(403);
  });
});

it('an audit log of real requests is whole, and shows an edit', async () => {
  const file = path.join(folder, 'audit.log');
  await mesh.apply(
    documents(
      mixerYaml('handler', 'audit', { compiledAdapter: 'audit', params: { path: file } }),
      instance('audit', 'logentry', {
        severity: '"info"',
        timestamp: 'request.time',
        variables: { user: 'request.headers["x-user"] | "-"', path: 'request.path', code: 'response.code | 0' },
      }),
      rule('audit', { match: 'context.protocol == "http"' }),
    ),
  );
  const text = (): string => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');
  await poll(
    async () => {
      await call({ headers: { 'x-user': 'anna' } });
      return text().includes('"user":"anna"');
    },
    'a record',
    30_000,
  );
  await mesh.clear();
  await mesh.mixer.stop('SIGTERM');
  const verified = await verifyAuditLog(file);
  expect(verified).toMatchObject({ ok: true });
  fs.writeFileSync(file, text().replace('anna', 'bob'));
  expect(await verifyAuditLog(file)).toMatchObject({ ok: false });
});
