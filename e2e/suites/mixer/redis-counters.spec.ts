import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Algorithm, type Hit, MemoryCounters, type Verdict } from '@seine/rate-limit';
import type { RedisOptions } from '@seine/redis';
import { type CountersInRedis, RedisCounters, redisCounters } from '@seine/redis-counters';
import { poll } from '@seine/testing';
import { RedisServer } from '../../src/index.js';

jest.setTimeout(120_000);

/** So long that no call is late on a busy machine. */
const patient = { timeoutMs: 30_000 };
const hour = 3_600_000;
let redis: RedisServer;
const open: CountersInRedis[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
afterEach(async () => {
  for (const counters of open.splice(0)) counters.close();
  await redis.client.flushall();
});

async function counters(options: Partial<RedisOptions> & { url?: string } = {}): Promise<CountersInRedis> {
  const made = redisCounters({ url: redis.url, ...patient, ...options });
  open.push(made);
  await poll(() => Promise.resolve(made.connection.isUp), 'a connection to Redis');
  return made;
}

const hit = (key: string, requests: number, windowMs = hour, algorithm: Algorithm = 'FIXED_WINDOW'): Hit => ({
  key,
  limit: { requests, windowMs, algorithm },
  hits: 1,
  exact: true,
});

const passed = (verdicts: readonly (readonly Verdict[])[]) => verdicts.flat().filter(({ allowed }) => allowed).length;

/** Numbers that are the same in each run (Lehmer). */
function randomNumbers(seed: number): (below: number) => number {
  return (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
}

describe('counting in Redis', () => {
  it.each<Algorithm>(['FIXED_WINDOW', 'SLIDING_WINDOW', 'TOKEN_BUCKET'])(
    'comes by %s to what counting in memory comes to, hit for hit',
    async (algorithm) => {
      const { connection } = await counters();
      const inRedis = new RedisCounters(connection, { clock: 'caller', prefix: `{${algorithm}}:`, maxBatch: 7 });
      const inMemory = new MemoryCounters();
      const random = randomNumbers(11);
      const limits = Array.from({ length: 12 }, (_, i) => ({
        requests: i === 0 ? 0 : 1 + random(30),
        // Hours, so that nothing ends by Redis' own clock meanwhile; thirds and sevenths, which no sum hits exactly.
        windowMs: ((1 + random(5)) * hour) / [1, 3, 7][random(3)]!,
        algorithm,
      }));
      let now = 1_700_000_000_000;
      let allowed = 0;
      for (let round = 0; round < 400; round++) {
        now += random(10) === 0 ? random(4 * hour) : random(hour / 20);
        // A clock that goes back a little.
        if (random(20) === 0) now -= random(1000);
        const hits = Array.from({ length: 1 + random(10) }, (): Hit => {
          const i = random(limits.length);
          return { key: `key ${i}`, limit: limits[i]!, hits: 1 + random(4), exact: true };
        });
        const decisions = [hits.slice(0, hits.length >> 1), hits.slice(hits.length >> 1)].filter(
          (all) => all.length > 0,
        );
        const expected: (readonly Verdict[])[] = decisions.map((all) => inMemory.count(all, now));
        expect(await Promise.all(decisions.map((all) => inRedis.count(all, now)))).toEqual(expected);
        allowed += passed(expected);
      }
      expect(allowed).toBeGreaterThan(200);
    },
  );

  it('counts what several clients ask at once exactly, each once', async () => {
    const clients = [await counters(), await counters()];
    const verdicts = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => clients[i % 2]!.count([hit('k', 100)], Date.now())),
    );
    expect(passed(verdicts)).toBe(100);
    expect(verdicts.flat().map(({ remaining }) => remaining)).toEqual(expect.arrayContaining([99, 50, 0]));
  });

  it('takes its time from Redis: callers whose clocks differ share one window', async () => {
    const { count } = await counters();
    const verdicts = [];
    for (const apart of [0, -10 * hour, 10 * hour, 5]) verdicts.push(await count([hit('k', 2)], Date.now() + apart));
    expect(verdicts.flat().map(({ allowed }) => allowed)).toEqual([true, true, false, false]);
  });

  it('sends the decisions of one turn together', async () => {
    const { count } = await counters();
    await count([hit('warm', 1)], 0);
    await redis.client.config('RESETSTAT');
    await Promise.all(Array.from({ length: 400 }, (_, i) => count([hit(`k${i % 9}`, 10)], 0)));
    const stats = await redis.client.info('commandstats');
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('1');
  });

  it('goes on when Redis has forgotten the script', async () => {
    const { count } = await counters();
    await count([hit('k', 10)], 0);
    await redis.client.script('FLUSH');
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => count([hit('k', 10)], 0)));
    expect(passed(verdicts)).toBe(9);
  });

  it('keeps no value of a descriptor', async () => {
    const { count } = await counters();
    await count([hit('x-api-key=very-secret', 10)], 0);
    const [key = ''] = await redis.client.keys('*');
    expect(key).toMatch(/^\{seine:limits\}:[\w-]{22}$/);
    expect(await redis.client.get(key)).not.toContain('secret');
  });
});
