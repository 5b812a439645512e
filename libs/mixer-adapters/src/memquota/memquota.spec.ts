import { describe, expect, it } from '@jest/globals';
import type { InstanceTypes, QuotaVerdict, Value } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext } from '../testing/adapter.fixture.js';
import { memquota } from './memquota.js';

const name = 'requestcount.quota.istio-system';
const types: InstanceTypes = {
  template: 'quota',
  maps: {
    dimensions: new Map([
      ['source', 'STRING'],
      ['code', 'INT64'],
      ['destination', 'STRING'],
    ]),
  },
};
const context = () => new TestContext({ instances: { [name]: types } });

async function asker(params: object, surroundings: TestContext) {
  const adapter = await makeAdapter(memquota, params, surroundings);
  return (dimensions: Readonly<Record<string, Value>> = {}, amount = 1, bestEffort = false): QuotaVerdict =>
    adapter.quota!(
      { instance: name, dimensions: new Map(Object.entries(dimensions)) },
      { amount, bestEffort },
    ) as QuotaVerdict;
}

describe('memquota', () => {
  it('grants maxAmount in validDuration, and again when time has rolled on', async () => {
    const surroundings = context();
    const ask = await asker({ quotas: [{ name, maxAmount: 2, validDuration: '5s' }] }, surroundings);
    expect(ask()).toEqual({ granted: 1 });
    await surroundings.pass(3000);
    expect(ask()).toEqual({ granted: 1 });
    expect(ask()).toEqual({ granted: 0, validMs: 2000 });
    await surroundings.pass(1900);
    expect(ask().granted).toBe(0);
    await surroundings.pass(100);
    expect(ask()).toEqual({ granted: 1 });
    expect(ask()).toEqual({ granted: 0, validMs: 3000 });
  });

  it('never grants more than maxAmount in any stretch of validDuration', async () => {
    const surroundings = context();
    const ask = await asker({ quotas: [{ name, maxAmount: 7, validDuration: '2s' }] }, surroundings);
    const granted: number[] = [];
    for (let i = 0; i < 2000; i++) {
      // Steps that fall in no pattern with the window's ticks.
      await surroundings.pass(13 + ((i * 37) % 101));
      if (ask().granted > 0) granted.push(surroundings.time);
    }
    expect(granted.length).toBeGreaterThan(100);
    for (let i = 7; i < granted.length; i++) expect(granted[i]! - granted[i - 7]!).toBeGreaterThanOrEqual(1900);
  });

  it('counts each set of dimensions by itself', async () => {
    const ask = await asker({ quotas: [{ name, maxAmount: 1, validDuration: '1s' }] }, context());
    expect(ask({ source: 'a' }).granted).toBe(1);
    expect(ask({ source: 'b' }).granted).toBe(1);
    expect(ask({ source: 'a' }).granted).toBe(0);
  });

  it('takes the first override that fits', async () => {
    const overrides = [
      { dimensions: { destination: 'ratings', source: 'reviews' }, maxAmount: 1, validDuration: '1s' },
      { dimensions: { destination: 'ratings' }, maxAmount: 2, validDuration: '1s' },
      { dimensions: { code: '404' }, maxAmount: 3, validDuration: '1s' },
    ];
    const ask = await asker({ quotas: [{ name, maxAmount: 4, validDuration: '1s', overrides }] }, context());
    const most = (dimensions: Readonly<Record<string, Value>>): number => ask(dimensions, 100, true).granted;
    expect(most({ destination: 'ratings', source: 'reviews', code: 404 })).toBe(1);
    expect(most({ destination: 'ratings', source: 'productpage', code: 404 })).toBe(2);
    expect(most({ destination: 'details', source: 'reviews', code: 404 })).toBe(3);
    expect(most({ destination: 'details', source: 'reviews', code: 200 })).toBe(4);
  });

  it('grants all that is asked for or nothing, unless less is better than nothing', async () => {
    const ask = await asker({ quotas: [{ name, maxAmount: 5, validDuration: '1s' }] }, context());
    expect(ask({}, 3).granted).toBe(3);
    expect(ask({}, 3).granted).toBe(0);
    expect(ask({}, 3, true).granted).toBe(2);
  });

  it('without a validDuration what is taken stays taken', async () => {
    const surroundings = context();
    const ask = await asker({ quotas: [{ name, max_amount: '2' }] }, surroundings);
    expect(ask({}, 2).granted).toBe(2);
    await surroundings.pass(1e9);
    expect(ask().granted).toBe(0);
  });

  it('a clock that goes back gives nothing out twice', async () => {
    const surroundings = context();
    const ask = await asker({ quotas: [{ name, maxAmount: 1, validDuration: '1s' }] }, surroundings);
    expect(ask().granted).toBe(1);
    await surroundings.pass(-60_000);
    expect(ask().granted).toBe(0);
  });

  it('an instance without a quota is an error that names the quotas', async () => {
    await expect(makeAdapter(memquota, { quotas: [{ name: 'other', maxAmount: 1 }] }, context())).rejects.toThrow(
      `there is no quota named '${name}'; quotas has other`,
    );
  });

  it.each([
    ['a quota without a name', { quotas: [{ maxAmount: 1 }] }, 'quotas[0].name'],
    ['two of a name', { quotas: [{ name }, { name }] }, 'quotas[1].name'],
    ['an amount below 0', { quotas: [{ name, maxAmount: -1 }] }, 'quotas[0].maxAmount'],
    ['no deduplication window', { minDeduplicationDuration: '0s' }, 'minDeduplicationDuration'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(memquota, params)).toMatchObject([{ path }]);
  });
});
