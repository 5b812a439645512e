import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { AuditRecord } from '@seine/ca';
import {
  adminToken,
  ask,
  call,
  clientOf,
  folder,
  newCsr,
  start,
  stateDir,
  warnings,
  type Replica,
} from './testing/replica.fixture.js';

jest.setTimeout(120_000);

let one: Replica;
let two: Replica;
beforeAll(async () => {
  [one, two] = await Promise.all([start('--limit-per-identity', '2000,1'), start('--limit-per-identity', '2000,1')]);
});
afterAll(async () => {
  await Promise.all([one.app.close(), two.app.close()]);
  fs.rmSync(folder, { recursive: true, force: true });
});

describe('two citadels on one state directory', () => {
  it('C-17 that start at once have one root', () => {
    expect(one.citadel.roots()).toBe(two.citadel.roots());
  });

  it('C-15 give no serial number twice, and C-23 write each into one log', async () => {
    const csr = await newCsr();
    const serials = new Set<string>();
    await Promise.all(
      [one, two].map(async (replica) => {
        const client = clientOf(replica);
        for (let n = 0; n < 500; n++) {
          const { certChain } = await ask(client, 'account:serials', { csr });
          serials.add(new X509Certificate(certChain[0]!).serialNumber);
        }
        client.close();
      }),
    );
    expect(serials.size).toBe(1000);
    const lines = fs.readFileSync(path.join(stateDir, 'audit.log'), 'utf8').trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as AuditRecord);
    const issued = records.filter(({ spiffeId }) => spiffeId.endsWith('/sa/serials'));
    expect(new Set(issued.map(({ serial }) => serial?.toUpperCase()))).toEqual(serials);
    expect(issued[0]).toEqual({
      time: expect.stringMatching(/^2\d{3}-/),
      event: 'issued',
      spiffeId: 'spiffe://td/ns/default/sa/serials',
      by: 'test',
      address: '127.0.0.1',
      serial: expect.stringMatching(/^[0-9a-f]{32}$/),
      notAfter: expect.stringMatching(/Z$/),
      ttl: 3600,
    });
    expect(lines.join('')).not.toMatch(/BEGIN|account:/);
  });

  it('deny an identity both, tell whoever waits for it, and write the refusal down', async () => {
    const spiffeId = 'spiffe://td/ns/default/sa/denied';
    const waiting = call(two, 'GET', '/denied?since=0&wait=30', undefined, '');
    expect((await call(one, 'POST', '/ca/denied', { spiffeId, reason: 'laptop lost' })).status).toBe(200);
    expect(await waiting).toEqual({ status: 200, body: { revision: 1, denied: [spiffeId] } });
    for (const replica of [one, two]) {
      const client = clientOf(replica);
      await expect(ask(client, 'account:denied', { csr: await newCsr() })).rejects.toMatchObject({
        code: 7,
        details: `${spiffeId} is revoked`,
      });
      client.close();
    }
    expect((await call(one, 'POST', '/ca/tokens', { namespace: 'default', serviceAccount: 'denied' })).status).toBe(
      409,
    );
    expect(await call(two, 'DELETE', `/ca/denied?id=${spiffeId}`)).toEqual({ status: 200, body: [] });
    expect((await call(two, 'DELETE', `/ca/denied?id=${spiffeId}`)).status).toBe(404);
    const audit = fs.readFileSync(path.join(stateDir, 'audit.log'), 'utf8');
    expect(audit).toMatch(/"refused".*sa\/denied.*is revoked/);
    const lines = audit.trim().split('\n');
    const administered = lines.map((line) => JSON.parse(line) as AuditRecord).filter(({ action }) => action);
    expect(administered.map(({ action, spiffeId: about, reason }) => [action, about, reason])).toEqual([
      ['deny', spiffeId, 'laptop lost'],
      ['allow', spiffeId, undefined],
    ]);
  });

  it('give a join token of the one once, at the other', async () => {
    const made = await call(one, 'POST', '/ca/tokens', { namespace: 'default', serviceAccount: 'vm', ttl: 60 });
    const { token } = made.body as { token: string };
    const client = clientOf(two);
    const { certChain } = await ask(client, token, { csr: await newCsr() });
    expect(new X509Certificate(certChain[0]!).subjectAltName).toBe('URI:spiffe://td/ns/default/sa/vm');
    await expect(ask(client, token, { csr: await newCsr() })).rejects.toMatchObject({ code: 16 });
    client.close();
  });
});

describe('the admin port', () => {
  it.each([
    'GET /ca',
    'GET /ca/certificates',
    'POST /ca/rotate',
    'GET /ca/denied',
    'POST /ca/denied',
    'DELETE /ca/denied',
    'POST /ca/tokens',
  ])('%s is for who shows the token', async (route) => {
    const [method, at] = route.split(' ') as [string, string];
    for (const token of ['', 'wrong', `${adminToken()}x`])
      expect((await call(one, method, at, undefined, token)).status).toBe(401);
    expect(fs.statSync(path.join(stateDir, 'admin.token')).mode & 0o777).toBe(0o600);
  });

  it.each<[string, string, object, number, RegExp]>([
    ['an unknown step', '/ca/rotate', { step: 'leap' }, 400, /step is one of/],
    ['a force that is none', '/ca/rotate', { step: 'activate', force: 'yes' }, 400, /true or false/],
    ['a step before its time', '/ca/rotate', { step: 'activate' }, 409, /no root is prepared/],
    ['an identity that is none', '/ca/denied', { spiffeId: 'spiffe://td/../x' }, 400, /spiffe:\/\/TRUST_DOMAIN/],
    ['a token for nobody', '/ca/tokens', { namespace: 'a/sa/b', serviceAccount: 'c' }, 400, /no identity/],
    ['a token for ever', '/ca/tokens', { namespace: 'a', serviceAccount: 'c', ttl: 1e9 }, 400, /ttl is a number/],
  ])('refuses %s with a reason', async (_what, at, body, status, message) => {
    expect(await call(one, 'POST', at, body)).toEqual({
      status,
      body: expect.objectContaining({ message: expect.stringMatching(message) }),
    });
  });

  it('lists what is in force', async () => {
    const client = clientOf(one);
    await ask(client, 'account:listed', { csr: await newCsr() });
    client.close();
    const { body } = await call(one, 'GET', '/ca/certificates?identity=spiffe://td/ns/default/sa/listed');
    expect(body).toMatchObject([{ spiffeId: 'spiffe://td/ns/default/sa/listed', by: 'test' }]);
  });
});

describe('what citadel keeps and says', () => {
  it('C-22 has keys in one file for citadel alone, and secrets nowhere else', async () => {
    const { body } = await call(one, 'POST', '/ca/tokens', { namespace: 'default', serviceAccount: 'secret' });
    const { token } = body as { token: string };
    const found = new Map<string, string[]>();
    for (const name of fs.readdirSync(stateDir, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(stateDir, name);
      if (!fs.statSync(file).isFile()) continue;
      const text = fs.readFileSync(file, 'utf8');
      for (const secret of ['PRIVATE KEY', token.replace('seine-join.', ''), adminToken()])
        if (text.includes(secret)) found.set(secret, [...(found.get(secret) ?? []), name]);
    }
    expect(found.get('PRIVATE KEY')).toEqual([expect.stringMatching(/^ca\/authority\.\d+\.json$/)]);
    expect(found.get(adminToken())).toEqual(['admin.token']);
    expect(found.size).toBe(2);
    const shown = [await call(one, 'GET', '/ca'), await call(one, 'GET', '/bundle'), warnings, process.env];
    expect(JSON.stringify(shown)).not.toMatch(/PRIVATE KEY/);
    expect(JSON.stringify(shown)).not.toContain(adminToken());
  });

  it('C-23 writes down its own certificate, too', () => {
    const log = fs.readFileSync(path.join(stateDir, 'audit.log'), 'utf8');
    expect(log).toMatch(/"issued","spiffeId":"spiffe:\/\/td\/ns\/istio-system\/sa\/citadel","by":"citadel itself"/);
  });
});

describe('a refusal', () => {
  it('C-21 of too many requests says when to come back, as gRPC does', async () => {
    const limited = await start('--limit-per-identity', '1,0.5');
    const client = clientOf(limited);
    const csr = await newCsr();
    await ask(client, 'account:noisy', { csr });
    const error = (await ask(client, 'account:noisy', { csr }).catch((thrown: unknown) => thrown)) as ServiceError;
    expect([error.code, error.metadata.get('retry-after')]).toEqual([8, ['2']]);
    const details = error.metadata.get('grpc-status-details-bin')[0] as Buffer;
    expect(details.toString('latin1')).toContain('type.googleapis.com/google.rpc.RetryInfo');
    await ask(client, 'account:quiet', { csr });
    client.close();
    await limited.app.close();
  });

  it('C-11 of an agent that asks for another is the default', async () => {
    const client = clientOf(one);
    const metadata = { fields: { ImpersonatedIdentity: { stringValue: 'spiffe://td/ns/default/sa/victim' } } };
    await expect(ask(client, 'account:agent', { csr: await newCsr(), metadata })).rejects.toMatchObject({ code: 16 });
    expect(warnings.at(-1)).toMatch(/nobody may here/);
    client.close();
  });

  it('C-8 of 1 MB of junk costs the connection nothing', async () => {
    const client = clientOf(one);
    await expect(ask(client, 'account:junk', { csr: 'x'.repeat(1_000_000) })).rejects.toMatchObject({ code: 8 });
    await expect(ask(client, 'account:junk', { csr: 'x'.repeat(60_000) })).rejects.toMatchObject({ code: 3 });
    await ask(client, 'account:junk', { csr: await newCsr() });
    client.close();
  });
});
