import { describe, expect, it } from '@jest/globals';
import type { InstanceTypes } from '@seine/mixer';
import { type Counters, type Hit, MemoryCounters } from '@seine/rate-limit';
import { makeAdapter, problemsOf, TestContext, testRim } from '../testing/adapter.fixture.js';
import { redisquota } from './redisquota.js';

const name = 'requestcountquota.instance.istio-system';
const types: InstanceTypes = { template: 'quota', maps: { dimensions: new Map([['destination', 'STRING']]) } };

/** Counts by the same rules as in Redis; the store itself is tested where it is. */
async function made(params: object, counters: Counters = new MemoryCounters()) {
  const seen: Hit[] = [];
  const urls: string[] = [];
  let closed = 0;
  const rim = testRim({
    counters: (url) => {
      urls.push(url);
      return {
        count: (hits, now) => {
          seen.push(...hits);
          return counters.count(hits, now);
        },
        close: () => {
          closed++;
        },
      };
    },
  });
  const context = new TestContext({ instances: { [name]: types } });
  const adapter = await makeAdapter(redisquota(rim), { redisServerUrl: 'redis:6379', ...params }, context);
  const ask = async (destination: string, amount = 1, bestEffort = false) =>
    adapter.quota!({ instance: name, dimensions: new Map([['destination', destination]]) }, { amount, bestEffort });
  return { adapter, ask, seen, urls, context, closed: () => closed };
}

const quota = {
  name,
  maxAmount: 3,
  validDuration: '30s',
  overrides: [{ dimensions: { destination: 'ratings' }, maxAmount: 1 }],
};

describe('redisquota', () => {
  it('counts in the Redis that it is given', async () => {
    const { adapter, ask, urls, seen, closed } = await made({ quotas: [quota], connectionPoolSize: 10 });
    expect(await ask('details', 2)).toEqual({ granted: 2 });
    expect(await ask('details', 2)).toMatchObject({ granted: 0 });
    expect(await ask('details', 2, true)).toEqual({ granted: 1 });
    expect(await ask('details', 2, true)).toMatchObject({ granted: 0, validMs: expect.any(Number) });
    expect(urls).toEqual(['redis:6379']);
    expect(seen[0]).toEqual({
      key: `redisquota;${name};destination=details`,
      limit: { requests: 3, windowMs: 30_000, algorithm: 'FIXED_WINDOW' },
      hits: 2,
      exact: true,
      localFallback: false,
    });
    await adapter.close?.();
    expect(closed()).toBe(1);
  });

  it('takes the first override that fits', async () => {
    const { ask } = await made({ quotas: [quota] });
    expect((await ask('ratings')).granted).toBe(1);
    expect((await ask('ratings')).granted).toBe(0);
  });

  it('rolls', async () => {
    const rolling = { ...quota, rateLimitAlgorithm: 'ROLLING_WINDOW', bucketDuration: '500ms', overrides: [] };
    const { ask, seen } = await made({ quotas: [rolling], localFallback: true });
    await ask('details');
    expect(seen[0]).toMatchObject({ limit: { algorithm: 'SLIDING_WINDOW' }, localFallback: true });
  });

  it('fails where the store does: what follows from it the rule says', async () => {
    const { ask } = await made({ quotas: [quota] }, { count: () => Promise.reject(new Error('Redis is away')) });
    await expect(ask('details')).rejects.toThrow('Redis is away');
  });

  it('without a way to Redis the handler is not made', async () => {
    await expect(makeAdapter(redisquota(testRim()), { redisServerUrl: 'redis:6379' })).rejects.toThrow('Redis');
  });

  it.each([
    ['no Redis', { quotas: [quota] }, 'redisServerUrl'],
    ['no amount', { redisServerUrl: 'r:1', quotas: [{ ...quota, maxAmount: 0 }] }, 'quotas[0].maxAmount'],
    ['no window', { redisServerUrl: 'r:1', quotas: [{ name, maxAmount: 1 }] }, 'quotas[0].validDuration'],
    [
      'a bucket as wide as its window',
      { redisServerUrl: 'r:1', quotas: [{ ...quota, rateLimitAlgorithm: 1, bucketDuration: '30s' }] },
      'quotas[0].bucketDuration',
    ],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(redisquota(testRim()), params)).toMatchObject([{ path }]);
  });
});
