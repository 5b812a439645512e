import { describe, expect, it } from '@jest/globals';
import { MemoryCounters } from '../counting/memory-counters.js';
import { decide, type LimitRequest, LimitRequestError } from './decide.js';
import { isAbout, parseRateLimitPolicy } from './own-limits.js';
import { parseRateLimitConfig } from './parse-config.js';
import type { Descriptor, RuleTree } from './rule-tree.js';

const now = 1_700_000_000_000;

const perMinute = (requests: number) => ({ rate_limit: { unit: 'minute', requests_per_unit: requests } });

function treeOf(config: object): RuleTree {
  const { rules, diagnostics } = parseRateLimitConfig(config);
  expect(diagnostics).toEqual([]);
  return new Map(rules ? [[rules.domain, rules.root]] : []);
}

const descriptor = (...entries: readonly string[]): Descriptor => ({
  entries: entries.map((entry) => {
    const [key = '', value = ''] = entry.split('=');
    return { key, value };
  }),
});

const ask = (...descriptors: readonly Descriptor[]): LimitRequest => ({ domain: 'shop', descriptors, hits: 0 });

const rules = treeOf({
  domain: 'shop',
  descriptors: [
    {
      key: 'path',
      value: '/cart',
      ...perMinute(2),
      descriptors: [{ key: 'user', ...perMinute(1) }],
    },
    { key: 'path', value: '/static*', ...perMinute(3) },
    { key: 'path', value: '/static/big*', ...perMinute(1) },
    { key: 'path', ...perMinute(5) },
    { key: 'user', value: 'root', rate_limit: { unlimited: true } },
    { key: 'shadowed', shadow_mode: true, ...perMinute(1) },
    {
      key: 'a',
      rate_limit: { name: 'a', unit: 'minute', requests_per_unit: 9, replaces: [{ name: 'b' }] },
    },
    { key: 'b', rate_limit: { name: 'b', unit: 'minute', requests_per_unit: 1 } },
    { key: 'only-deeper', descriptors: [{ key: 'user', ...perMinute(1) }] },
  ],
});

describe('a rate limit request', () => {
  it.each([
    ['no domain', { domain: '', descriptors: [descriptor('path=/')], hits: 0 }],
    ['no descriptor', { domain: 'shop', descriptors: [], hits: 0 }],
  ])('R-1: of %s is refused', async (_, request) => {
    await expect(decide(request, { rules, counters: new MemoryCounters() }, now)).rejects.toThrow(LimitRequestError);
  });

  it('R-2: gets a status for each descriptor in order, and is over the limit if one is', async () => {
    const options = { rules, counters: new MemoryCounters() };
    const request = ask(descriptor('path=/cart', 'user=ann'), descriptor('path=/cart'), descriptor('nobody=x'));
    expect(await decide(request, options, now)).toMatchObject({
      overLimit: false,
      statuses: [{ overLimit: false }, { overLimit: false }, { rule: undefined }],
    });
    expect(await decide(request, options, now)).toMatchObject({
      overLimit: true,
      statuses: [{ overLimit: true }, { overLimit: false }, { overLimit: false, rule: undefined, verdict: undefined }],
    });
  });

  it.each([
    ['R-3: no rule matches', ['nobody=x'], undefined],
    ['R-3: nobody knows the domain', ['path=/cart'], undefined, 'elsewhere'],
    ['R-4: key and value go before the key alone', ['path=/cart'], 'shop.path_/cart'],
    ['R-4: the key alone takes any value', ['path=/other'], 'shop.path'],
    ['R-4: the longest prefix', ['path=/static/big/1'], 'shop.path_/static/big*'],
    ['R-4: a prefix before the key alone', ['path=/static/1'], 'shop.path_/static*'],
    ['R-4: case counts', ['path=/CART'], 'shop.path'],
    ['R-4: nested in order', ['path=/cart', 'user=ann'], 'shop.path_/cart.user'],
    ['R-4: not in another order', ['user=ann', 'path=/cart'], undefined],
    ['R-4: all entries must be met', ['path=/cart', 'nobody=x'], undefined],
    ['R-4: only the last entry carries the limit', ['only-deeper=1'], undefined],
    ['R-8: unlimited', ['user=root'], 'shop.user_root'],
  ])('%s', async (_, entries, path, domain = 'shop') => {
    const options = { rules, counters: new MemoryCounters() };
    const { statuses } = await decide({ ...ask(descriptor(...entries)), domain }, options, now);
    expect(statuses[0]?.rule?.path).toBe(path);
    expect(statuses[0]?.overLimit).toBe(false);
  });

  it('R-6: counts hits_addend, 0 as 1', async () => {
    const options = { rules, counters: new MemoryCounters() };
    const remaining = async (hits: number) =>
      (await decide({ ...ask(descriptor('path=/other')), hits }, options, now)).statuses[0]?.verdict;
    expect(await remaining(0)).toMatchObject({ allowed: true, remaining: 4 });
    expect(await remaining(3)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await remaining(2)).toMatchObject({ allowed: false, remaining: 1 });
    expect(await remaining(1)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await remaining(6)).toMatchObject({ allowed: false, remaining: 0 });
  });

  it('R-7: hears what is left and for how long', async () => {
    const options = { rules, counters: new MemoryCounters() };
    const at = now - (now % 60_000);
    const verdict = async (ms: number) =>
      (await decide(ask(descriptor('path=/cart')), options, at + ms)).statuses[0]?.verdict;
    expect(await verdict(0)).toEqual({ allowed: true, remaining: 1, resetMs: 60_000 });
    expect(await verdict(1000)).toEqual({ allowed: true, remaining: 0, resetMs: 59_000 });
    expect(await verdict(2000)).toEqual({ allowed: false, remaining: 0, resetMs: 58_000 });
  });

  it('R-8: passes at what is unlimited or in the shadow, where it is counted', async () => {
    const options = { rules, counters: new MemoryCounters() };
    for (let i = 0; i < 3; i++)
      expect((await decide(ask(descriptor('user=root'), descriptor('shadowed=1')), options, now)).overLimit).toBe(
        false,
      );
    const { statuses } = await decide(ask(descriptor('shadowed=1')), options, now);
    expect(statuses[0]).toMatchObject({ overLimit: false, verdict: { allowed: false } });
    const inShadow = { ...options, shadow: true };
    for (let i = 0; i < 3; i++) await decide(ask(descriptor('b=1')), options, now);
    expect((await decide(ask(descriptor('b=1')), options, now)).overLimit).toBe(true);
    expect((await decide(ask(descriptor('b=1')), inShadow, now)).overLimit).toBe(false);
  });

  it('R-8: is not held by a limit that another of its limits replaces', async () => {
    const options = { rules, counters: new MemoryCounters() };
    for (let i = 0; i < 5; i++)
      expect((await decide(ask(descriptor('a=1'), descriptor('b=1')), options, now)).overLimit).toBe(false);
    expect((await decide(ask(descriptor('b=1')), options, now)).overLimit).toBe(false);
    expect((await decide(ask(descriptor('b=1')), options, now)).overLimit).toBe(true);
  });

  it('does not mix what is only written alike', async () => {
    const options = {
      rules: treeOf({ domain: 'shop', descriptors: [{ key: 'k', ...perMinute(1) }] }),
      counters: new MemoryCounters(),
    };
    for (const value of ['a', 'a1:b', '', '1:a'])
      expect((await decide(ask({ entries: [{ key: 'k', value }] }), options, now)).overLimit).toBe(false);
  });

  it('may bring its limit along', async () => {
    const own = parseRateLimitPolicy('"default/api/0";q=2;w=5');
    const limitOf = (one: Descriptor) => (own && isAbout(own, one) ? own : undefined);
    const options = { rules: new Map(), counters: new MemoryCounters(), limitOf };
    const request = { ...ask(descriptor('rate_limit=default/api/0', 'user=ann')), domain: 'policy.seine.dev' };
    const over: boolean[] = [];
    for (let i = 0; i < 3; i++) over.push((await decide(request, options, now)).overLimit);
    expect(over).toEqual([false, false, true]);
    const other = { ...request, descriptors: [descriptor('rate_limit=default/other/0')] };
    expect((await decide(other, options, now)).statuses[0]?.rule).toBeUndefined();
  });
});

describe('a limit that comes along', () => {
  it.each([
    ['"a/b/0";q=2;w=5', { requests: 2, windowMs: 5000, algorithm: 'FIXED_WINDOW' }, false],
    ['"a";q=1;w=0.5;exact', { requests: 1, windowMs: 500, algorithm: 'FIXED_WINDOW' }, true],
    ['"a";q=1;w=1;a=bucket', { requests: 1, windowMs: 1000, algorithm: 'TOKEN_BUCKET' }, false],
    ['"a";q=1;w=1;exact;a=sliding', { requests: 1, windowMs: 1000, algorithm: 'SLIDING_WINDOW' }, true],
    ['"a";q=1;w=1;local', { requests: 1, windowMs: 1000, algorithm: 'FIXED_WINDOW' }, false, true],
  ])('%s is read', (text, limit, exact, localFallback = false) => {
    expect(parseRateLimitPolicy(text)).toMatchObject({ limit, exact, localFallback });
  });

  it.each([
    undefined,
    '',
    'q=1;w=1',
    '"a"',
    '"a";q=1',
    '"a";q=-1;w=1',
    '"a";q=1;w=0',
    '"a";q=1;w=1;a=magic',
    '"a";q=x;w=1',
  ])('%s is none', (text) => {
    expect(parseRateLimitPolicy(text)).toBeUndefined();
  });
});
