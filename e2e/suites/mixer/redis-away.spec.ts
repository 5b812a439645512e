import net from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Hit, Verdict } from '@seine/rate-limit';
import { RedisUnavailableError } from '@seine/redis';
import { type CountersInRedis, RedisCounters, redisCounters } from '@seine/redis-counters';
import { poll } from '@seine/testing';
import { RedisServer } from '../../src/index.js';

jest.setTimeout(120_000);

const maxPending = 50;
let redis: RedisServer;
let counters: CountersInRedis;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  counters = redisCounters({ url: redis.url, timeoutMs: 250, maxPending });
  await isUp();
});
afterEach(() => counters.close());

const isUp = () => poll(() => counters.connection.isUp, 'Redis to be asked again', 60_000);
const hit = (key: string, requests: number, windowMs = 3_600_000): Hit => ({
  key,
  limit: { requests, windowMs, algorithm: 'FIXED_WINDOW' },
  hits: 1,
  exact: true,
});
const ask = async (one: Hit): Promise<Verdict> => (await counters.count([one], 0))[0]!;

/** Counts, however often Redis does not answer in time on a busy machine. */
async function counted(one: Hit): Promise<Verdict> {
  for (;;) {
    try {
      return await ask(one);
    } catch {
      await isUp();
    }
  }
}

/** What becomes of so many questions that are asked apart from each other. */
async function outcomes(count: number): Promise<readonly unknown[]> {
  const asked: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    asked.push(ask(hit(`k${i}`, 10)).catch((error: unknown) => error));
    await new Promise((resolve) => setImmediate(resolve));
    expect(counters.connection.pending).toBeLessThanOrEqual(maxPending);
  }
  return await Promise.all(asked);
}

const areUnavailable = (all: readonly unknown[]) => all.every((one) => one instanceof RedisUnavailableError);

describe('when Redis is away', () => {
  it('R-10: hears at once that it was killed, and counts again when it is back', async () => {
    await counted(hit('before', 10));
    await redis.kill();
    expect(areUnavailable(await outcomes(2000))).toBe(true);
    await poll(() => !counters.connection.isUp, 'the circuit to open');
    expect(counters.connection.reason).toMatch(/ECONNREFUSED|lost|reset/);
    await redis.start();
    await isUp();
    expect(await counted(hit('after', 10))).toMatchObject({ allowed: true, remaining: 9 });
  });

  it('R-11: refuses what it asks of one that hangs, holds no more calls than it may, and opens the circuit', async () => {
    await counted(hit('before', 10));
    redis.signal('SIGSTOP');
    try {
      expect(areUnavailable(await outcomes(2000))).toBe(true);
      await poll(() => !counters.connection.isUp, 'the circuit to open');
      // From now on nothing is sent: a connection that hangs gets no more than its PING.
      const held = counters.connection.pending;
      expect(areUnavailable(await outcomes(200))).toBe(true);
      expect(counters.connection.pending).toBeLessThanOrEqual(held);
    } finally {
      redis.signal('SIGCONT');
    }
    await isUp();
    expect((await counted(hit('after', 10))).allowed).toBe(true);
    await poll(() => counters.connection.pending === 0, 'nothing to be under way any more');
  });

  it('R-12: begins anew when Redis is emptied in the middle of a window', async () => {
    const limit = hit('emptied', 3);
    for (const remaining of [2, 1, 0]) expect(await counted(limit)).toMatchObject({ allowed: true, remaining });
    expect(await counted(limit)).toMatchObject({ allowed: false, remaining: 0 });
    await redis.client.flushall();
    for (const remaining of [2, 1, 0]) expect(await counted(limit)).toMatchObject({ allowed: true, remaining });
    expect(await counted(limit)).toMatchObject({ allowed: false, remaining: 0 });
  });

  it.each([
    ['has no memory left', ['maxmemory', '1', 'maxmemory-policy', 'noeviction'], ['maxmemory', '0'], 'OOM'],
    ['lacks its replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0'], 'NOREPLICAS'],
  ] as const)('says so when Redis %s and takes no counts, and counts when it does again', async (_, bad, good, why) => {
    await counted(hit('known', 10));
    const set = (settings: readonly string[]) => redis.client.call('CONFIG', 'SET', ...settings);
    await set(bad);
    try {
      await expect(ask(hit(`refused ${why}`, 10))).rejects.toThrow(why);
    } finally {
      await set(good);
    }
    expect(await counted(hit(`refused ${why}`, 10))).toMatchObject({ allowed: true, remaining: 9 });
  });

  it('reaches a Redis that comes up after it, and tells why it could not before', async () => {
    await redis.kill();
    const reasons: string[] = [];
    const early = redisCounters({ url: redis.url, onDown: (reason) => reasons.push(reason) });
    try {
      await expect(early.count([hit('k', 1)], 0)).rejects.toThrow(RedisUnavailableError);
      await poll(() => reasons.length > 0, 'a reason');
      await redis.start();
      await poll(() => early.connection.isUp, 'a connection', 60_000);
      expect(reasons).toEqual([`${redis.url}: connect ECONNREFUSED ${redis.address}`]);
    } finally {
      early.close();
    }
  });
});

it('R-9: begins anew with the next window', async () => {
  const limit = hit('short', 2, 400);
  await poll(async () => !(await counted(limit)).allowed, 'the window to be full');
  await poll(async () => (await counted(limit)).allowed, 'the next window');
});

describe('R-9: when its client is killed', () => {
  /** What is sent to Redis for some hits, as it stands on the wire. */
  async function wireBytes(hits: readonly Hit[]): Promise<Buffer> {
    const sent: string[][] = [];
    const call = (command: string, args: readonly (string | number | Buffer)[]) => {
      sent.push([command, ...args.map(String)]);
      return new Promise<never>(() => undefined);
    };
    void new RedisCounters({ call }).count(hits, 0);
    await poll(() => sent.length > 0, 'the call');
    const words = sent[0]!;
    const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
    return Buffer.from(`*${words.length}\r\n${bulk}`);
  }

  it('at any moment of 1,000, leaves no key without an expiry', async () => {
    // Redis knows the script from here on.
    await counted(hit('known', 1));
    for (let round = 0; round < 1000; round++) {
      const bytes = await wireBytes(Array.from({ length: 5 }, (_, i) => hit(`killed ${round} ${i}`, 10)));
      const many = Buffer.concat([bytes, bytes, bytes]);
      const socket = net.connect({ port: redis.port, host: '127.0.0.1' });
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      // Whole calls, and one that ends within; then the connection goes as that of a killed process does.
      const cut = Math.floor((many.length * (round % 100)) / 99);
      await new Promise<void>((resolve) => socket.write(many.subarray(0, cut), () => resolve()));
      socket.resetAndDestroy();
    }
    const keys = await redis.client.keys('{seine:limits}:*');
    expect(keys.length).toBeGreaterThan(500);
    const lives = await Promise.all(keys.map((key) => redis.client.pttl(key)));
    expect(lives.filter((ms) => ms === -1)).toEqual([]);
  });
});
