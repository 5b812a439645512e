import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Hit } from '@seine/rate-limit';
import { type CountersInRedis, type MakeCountersOptions, redisCounters } from '@seine/redis-counters';
import { poll } from '@seine/testing';
import { RedisServer, TestAuthority } from '../../src/index.js';

jest.setTimeout(120_000);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-redis-test-'));
const servers: RedisServer[] = [];
const clients: CountersInRedis[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const hit: Hit = {
  key: 'k',
  limit: { requests: 5, windowMs: 3_600_000, algorithm: 'FIXED_WINDOW' },
  hits: 1,
  exact: true,
};

async function server(options?: Parameters<typeof RedisServer.start>[0]): Promise<RedisServer> {
  const started = await RedisServer.start(options);
  servers.push(started);
  return started;
}

/** A client, and why it could not connect each time. */
function connect(options: MakeCountersOptions): { counters: CountersInRedis; reasons: string[] } {
  const reasons: string[] = [];
  const counters = redisCounters({ timeoutMs: 30_000, onDown: (reason) => reasons.push(reason), ...options });
  clients.push(counters);
  return { counters, reasons };
}

async function expectCounting({ counters }: ReturnType<typeof connect>): Promise<void> {
  await poll(() => counters.connection.isUp, 'a connection', 60_000);
  expect(await counters.count([hit], 0)).toMatchObject([{ allowed: true }]);
}

async function expectRefused({ counters, reasons }: ReturnType<typeof connect>, why: RegExp): Promise<void> {
  await poll(() => reasons.length > 0, 'a refusal', 60_000);
  expect(reasons[0]).toMatch(why);
  expect(counters.connection.isUp).toBe(false);
}

function file(name: string, content: string | Buffer): string {
  const where = path.join(folder, name);
  fs.writeFileSync(where, content);
  return where;
}

describe('a connection to Redis', () => {
  it('proves itself by a password, which it reads again for each attempt and never tells', async () => {
    const { url } = await server({ settings: ['requirepass right-one'] });
    const passwordFile = file('password', 'wrong-one\n');
    const client = connect({ url, passwordFile });
    await expectRefused(client, /WRONGPASS/);
    fs.writeFileSync(passwordFile, 'right-one\n');
    await expectCounting(client);
    expect(client.reasons.join('\n')).not.toMatch(/wrong-one|right-one/);
    await expectRefused(connect({ url }), /NOAUTH/);
  });

  it('takes the password from the address too', async () => {
    const { address } = await server({ settings: ['requirepass p@ss:word'] });
    await expectCounting(connect({ url: `redis://:p%40ss%3Aword@${address}` }));
  });

  it('needs no more rights than the documented ones', async () => {
    const rights = '~{seine:limits}:* +evalsha +eval +mget +set +time +ping';
    const { url } = await server({ settings: ['user default off', `user mixer on >secret ${rights}`] });
    const passwordFile = file('acl', 'secret');
    await expectCounting(connect({ url, user: 'mixer', passwordFile }));
    const elsewhere = connect({ url, user: 'mixer', passwordFile, prefix: '{other}:' });
    await poll(() => elsewhere.counters.connection.isUp, 'a connection');
    await expect(elsewhere.counters.count([hit], 0)).rejects.toThrow('NOPERM');
  });

  it('speaks TLS with a Redis that its roots vouch for, and shows its own certificate', async () => {
    const authority = new TestAuthority(path.join(folder, 'authority'));
    const stranger = new TestAuthority(path.join(folder, 'stranger'));
    const caFile = file('ca.pem', authority.certificate);
    const { key, cert } = authority.issue('localhost');
    const tls = { ca: caFile, key: file('server.key', key), cert: file('server.pem', cert) };
    const { url, port } = await server({ tls });
    const own = authority.issue('mixer');
    const certFile = file('client.pem', own.cert);
    const keyFile = file('client.key', own.key);
    await expectCounting(connect({ url, caFile, certFile, keyFile }));
    await expectRefused(connect({ url, caFile }), /./);
    const strangerFile = file('stranger.pem', stranger.certificate);
    await expectRefused(connect({ url, caFile: strangerFile, certFile, keyFile }), /self-signed|unable to/);
    const byAddress = `rediss://127.0.0.1:${port}`;
    await expectRefused(connect({ url: byAddress, caFile, certFile, keyFile }), /IP: 127.0.0.1 is not in/);
  });

  it('finds the master by its Sentinels, and the next one when it is gone', async () => {
    const master = await server();
    const replica = await server({ settings: [`replicaof 127.0.0.1 ${master.port}`] });
    const sentinel = await server({ sentinelOf: master });
    await poll(async () => /slave0:.*state=online/.test(await master.client.info('replication')), 'a replica', 60_000);
    const client = connect({ url: `redis+sentinel://${sentinel.address}/mymaster` });
    await expectCounting(client);
    await master.kill();
    await poll(async () => /role:master/.test(await replica.client.info('replication')), 'another master', 60_000);
    await expectCounting(client);
    expect(await replica.client.keys('*')).toHaveLength(1);
  });
});
