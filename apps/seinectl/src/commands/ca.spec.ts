import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuthorityReport } from '@seine/api';
import { run } from '../program.js';
import { FakeConfigApi } from '../testing/fake-config-api.js';
import { FakeIo } from '../testing/fake-io.js';
import { FakeState } from '../testing/fake-state.js';

const id = 'spiffe://cluster.local/ns/default/sa/reviews';
const root = (fingerprint: string, role: 'signing' | 'prepared' | 'retiring') => ({
  fingerprint: fingerprint.repeat(64),
  subject: 'O=cluster.local',
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2036-01-01T00:00:00Z',
  role,
});
const stable: AuthorityReport = {
  trustDomain: 'cluster.local',
  sequence: 1,
  phase: 'stable',
  roots: [root('a', 'signing')],
  followers: [],
  federated: [],
};
const prepared: AuthorityReport = {
  ...stable,
  phase: 'prepared',
  automatic: true,
  waitingFor: 'wait 9 s more, or force it',
  roots: [root('a', 'signing'), root('b', 'prepared')],
  followers: [{ spiffeId: id, address: '127.0.0.1:1', upToDate: false }],
};

let io: FakeIo;
let state: FakeState;
let server: http.Server;
/** What was asked: method, path, token and body. */
let asked: string[];
let answers: Map<string, readonly [number, unknown]>;

beforeEach(async () => {
  io = new FakeIo();
  asked = [];
  answers = new Map();
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const line = `${request.method ?? ''} ${request.url ?? ''}`;
      asked.push(`${line} ${request.headers.authorization ?? ''} ${Buffer.concat(chunks).toString()}`.trim());
      const [status, body] = answers.get(line) ?? [404, { message: 'no such page' }];
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state = await FakeState.create();
  await writeFile(path.join(state.dir, 'token'), 'secret\n');
  io.env['SEINE_CITADEL_ADMIN'] = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  io.env['SEINE_CITADEL_TOKEN_FILE'] = path.join(state.dir, 'token');
  io.env['SEINE_STATE'] = state.dir;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await state.remove();
});

describe('seinectl ca', () => {
  it('root shows the roots, and in PEM', async () => {
    answers.set('GET /ca', [200, prepared]).set('GET /root-cert.pem', [200, 'PEM\n']);
    expect(await run(['ca', 'root'], io)).toBe(0);
    expect(io.stdout).toBe(
      'ROOT               ROLE       SUBJECT           UNTIL                  RETIRES\n' +
        'aaaaaaaaaaaaaaaa   signing    O=cluster.local   2036-01-01T00:00:00Z\n' +
        'bbbbbbbbbbbbbbbb   prepared   O=cluster.local   2036-01-01T00:00:00Z\n',
    );
    expect(io.stderr).toBe('a new root is prepared, 0 of 1 followers have it; wait 9 s more, or force it\n');
    expect(await run(['ca', 'root', '--pem'], io)).toBe(0);
    expect(io.stdout).toMatch(/PEM\n$/);
    expect(asked[0]).toBe('GET /ca Bearer secret');
  });

  it('rotate begins, waits for the new root to sign, and shows what was refused', async () => {
    answers.set('POST /ca/rotate', [200, prepared]);
    answers.set('GET /ca', [
      200,
      { ...stable, phase: 'activated', roots: [root('b', 'signing'), root('a', 'retiring')] },
    ]);
    expect(await run(['ca', 'rotate', '--wait', '-o', 'json'], io)).toBe(0);
    expect(JSON.parse(io.stdout)).toMatchObject({ phase: 'activated' });
    expect(asked).toEqual(['POST /ca/rotate Bearer secret {"step":"start","force":false}', 'GET /ca Bearer secret']);
    answers.set('POST /ca/rotate', [409, { statusCode: 409, message: 'no root is prepared' }]);
    expect(await run(['ca', 'rotate', '--step', 'activate', '--force'], io)).toBe(1);
    expect(io.stderr).toMatch(/error: citadel: no root is prepared\n$/);
    expect(asked.at(-1)).toMatch(/\{"step":"activate","force":true\}$/);
  });

  it('list shows what is in force', async () => {
    const issued = { spiffeId: id, serial: '40', issuedAt: 'now', notAfter: 'then', by: 'oidc', address: '10.0.0.1' };
    answers.set(`GET /ca/certificates?identity=${encodeURIComponent(id)}`, [200, [issued]]);
    expect(await run(['ca', 'list', '--identity', id], io)).toBe(0);
    expect(io.stdout).toMatch(/40 {7}now {6}then {4}oidc {8}10.0.0.1\n$/);
  });

  it('revoke denies, shows, and takes back', async () => {
    const denial = { spiffeId: id, reason: 'lost', since: '2026-01-01T00:00:00Z' };
    answers.set('POST /ca/denied', [200, [denial]]).set('GET /ca/denied', [200, [denial]]);
    answers.set(`DELETE /ca/denied?id=${encodeURIComponent(id)}`, [200, []]);
    expect(await run(['ca', 'revoke', id, '--reason', 'lost'], io)).toBe(0);
    expect(asked[0]).toBe(`POST /ca/denied Bearer secret {"spiffeId":"${id}","reason":"lost"}`);
    expect(await run(['ca', 'revoke', '-o', 'yaml'], io)).toBe(0);
    expect(io.stdout).toMatch(/reason: lost/);
    expect(await run(['ca', 'revoke', id, '--undo'], io)).toBe(0);
    expect(io.stderr).toMatch(/nobody is revoked\n$/);
    expect(io.stderr).toMatch(/^warning: citadel signs no more, but proxies were not told: no mesh is running/);
  });

  it('revoke has proxies refuse who is revoked, and no longer when nobody is', async () => {
    const applied: string[] = [];
    const api = new FakeConfigApi({
      Apply: ({ objects }) => {
        applied.push(...objects);
        return { revision: 1, results: [] };
      },
      Delete: ({ objects }) => {
        applied.push(`delete ${objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).join()}`);
        return { revision: 2, results: [] };
      },
    });
    io.env['SEINE_CONFIG_API'] = await api.start();
    const denial = { spiffeId: id, reason: '', since: '2026-01-01T00:00:00Z' };
    answers.set('POST /ca/denied', [200, [denial]]);
    answers.set(`DELETE /ca/denied?id=${encodeURIComponent(id)}`, [200, []]);
    expect(await run(['ca', 'revoke', id], io)).toBe(0);
    expect(await run(['ca', 'revoke', id, '--undo'], io)).toBe(0);
    api.stop();
    expect(JSON.parse(applied[0]!)).toMatchObject({
      kind: 'AuthorizationPolicy',
      metadata: { name: 'seine-revoked', namespace: 'istio-system' },
      spec: {
        action: 'DENY',
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/default/sa/reviews'] } }] }],
      },
    });
    expect(applied[1]).toBe('delete AuthorizationPolicy istio-system/seine-revoked');
  });

  it('token prints the token alone, without a newline', async () => {
    answers.set('POST /ca/tokens', [200, { token: 'seine-join.x', spiffeId: id, expiresAt: 'then' }]);
    expect(await run(['ca', 'token', 'default/reviews', '--ttl', '10m'], io)).toBe(0);
    expect([io.stdout, io.stderr]).toEqual(['seine-join.x', `proves ${id} once, until then\n`]);
    expect(asked[0]).toMatch(/\{"namespace":"default","serviceAccount":"reviews","ttl":600\}$/);
  });

  it.each<[string[], number, RegExp]>([
    [['ca', 'token', 'reviews'], 2, /reviews is not NAMESPACE\/ACCOUNT/],
    [['ca', 'rotate', '--force'], 2, /--force goes with/],
    [['ca', 'rotate', '--step', 'leap'], 2, /Allowed choices are prepare, activate, retire, cancel/],
    [['ca', 'revoke', '--undo'], 2, /whom to believe again/],
    [['ca', 'root', '--citadel-token', 'nowhere'], 1, /cannot read citadel's token.*give --citadel-token FILE/],
    [['ca', 'root', '--citadel-admin', '127.0.0.1:1'], 1, /citadel does not answer at http:\/\/127.0.0.1:1/],
  ])('%j exits with %d', async (args, code, stderr) => {
    expect(await run(args, io)).toBe(code);
    expect(io.stderr).toMatch(stderr);
  });

  it('finds citadel of the mesh on this machine', async () => {
    const { port } = server.address() as AddressInfo;
    io.env['SEINE_CITADEL_ADMIN'] = undefined;
    await state.write({ urls: { pilotAdmin: `http://127.0.0.1:${port}` } });
    answers.set('GET /ca', [200, stable]);
    expect(await run(['ca', 'root'], io)).toBe(0);
  });
});
