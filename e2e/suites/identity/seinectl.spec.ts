import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { documents, istioYaml, repositoryRoot, request, TestMesh } from '../../src/index.js';
import { policyYaml } from './policy-yaml.js';

jest.setTimeout(180_000);
let mesh: TestMesh;

beforeAll(async () => {
  mesh = await TestMesh.start({ identity: true, workloads: [{ name: 'reviews-v1', sidecar: true }] });
  const workload = (name: string, address: string) => ({
    name,
    namespace: 'default',
    service: '',
    version: '',
    serviceAccount: '',
    address,
    inboundPort: 8080,
    adminPort: mesh.envoy(name).adminPort,
    proxyId: '',
  });
  const workloads = [
    workload('client', mesh.clientAddress),
    workload('reviews-v1', mesh.workloads.get('reviews-v1')!.address),
  ];
  const run = { pid: process.pid, startedAt: '2026-01-01T00:00:00Z', urls: {}, workloads };
  fs.writeFileSync(path.join(mesh.folder, 'run.json'), JSON.stringify(run));
});
afterAll(() => mesh.stop());

/** Runs the built seinectl on the Envoys of the mesh. */
async function seinectl(...args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const program = path.join(repositoryRoot, 'apps/seinectl/bin/seinectl.mjs');
  return await new Promise((resolve) => {
    execFile(process.execPath, [program, ...args, '--state', mesh.folder], (error, stdout) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout }),
    );
  });
}
const json = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await seinectl(...args, '-o', 'json')).stdout) as unknown;

describe('seinectl on the Envoys of a mesh with identities', () => {
  it('shows the certificates that an Envoy has, and no key', async () => {
    const { stdout } = await seinectl('proxy-config', 'secrets', 'reviews-v1');
    expect(stdout).toMatch(/^ROOTCA +CA +ACTIVE +true /m);
    expect(stdout).toMatch(/^default +Cert Chain +ACTIVE +true +[0-9a-f]+ +\S+Z +\S+Z +cluster\.local$/m);
    expect(JSON.stringify(await json('pc', 'secrets', 'reviews-v1'))).not.toMatch(/private|redacted|KEY/);
  });

  it('tells what policies decide, and it comes true', async () => {
    await mesh.apply(
      'policies',
      documents(
        policyYaml('no-admin', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }] }),
        policyYaml('client-reads', {
          rules: [
            {
              from: [{ source: { principals: ['cluster.local/ns/default/sa/client'] } }],
              to: [{ operation: { methods: ['GET'] } }],
            },
          ],
        }),
      ),
    );
    const client = 'cluster.local/ns/default/sa/client';
    interface Answer {
      readonly decisions: readonly { readonly result: string; readonly why: string }[];
    }
    const said = async (...args: readonly string[]) => {
      const { decisions } = (await json('authz', 'check', 'reviews-v1', '--port', '8080', ...args)) as Answer;
      return [...new Set(decisions.map(({ result }) => result))];
    };
    await poll(async () => JSON.stringify(await said('--from', client)) === '["ALLOWED"]', 'the policies', 20_000);
    const { address } = mesh.workloads.get('reviews-v1')!;
    const calls: readonly (readonly [from: string, method: string, target: string])[] = [
      [client, 'GET', '/'],
      [client, 'GET', '/admin/x'],
      [client, 'POST', '/'],
      ['none', 'GET', '/'],
    ];
    for (const [from, method, target] of calls) {
      const { status } =
        from === 'none'
          ? await request(address, 8080, target, { method, headers: { host: 'reviews' } })
          : await mesh.call(`http://reviews:8080${target}`, { method });
      const result = await said('--from', from, '--method', method, '--path', target);
      expect([from, method, target, result]).toEqual([from, method, target, [status === 200 ? 'ALLOWED' : 'DENIED']]);
    }
    const { stdout } = await seinectl('authz', 'check', 'reviews-v1');
    expect(stdout).toMatch(/^DENY +no-admin\.default +1 +ENFORCED/m);
    await mesh.remove('policies');
  });

  it('tells whether callers speak TLS as they should, and it comes true', async () => {
    const strict = istioYaml('PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } }).replace(
      'networking',
      'security',
    );
    const plain = istioYaml('DestinationRule', 'plain', {
      host: 'reviews',
      trafficPolicy: { tls: { mode: 'DISABLE' } },
    });
    const check = async () => {
      const { code, stdout } = await seinectl('authn', 'tls-check', 'client', 'reviews-v1', '-o', 'json');
      const [first] = JSON.parse(stdout) as readonly { client: string; server: string; status: string }[];
      return [code, first?.status, first?.client, first?.server];
    };
    const status = async () => (await mesh.call('http://reviews:8080/')).status;
    await mesh.apply('tls', strict);
    await poll(async () => (await check())[3] === 'STRICT', 'STRICT', 20_000);
    expect(await check()).toEqual([0, 'OK', 'mTLS', 'STRICT']);
    await poll(async () => (await status()) === 200, 'a call by mutual TLS');
    await mesh.apply('tls', documents(strict, plain));
    await poll(async () => (await check())[1] === 'CONFLICT', 'a conflict', 20_000);
    expect(await check()).toEqual([1, 'CONFLICT', 'PLAIN TEXT', 'STRICT']);
    await poll(async () => (await status()) === 503, 'a call in plain text to fail');
    await mesh.remove('tls');
  });
});
