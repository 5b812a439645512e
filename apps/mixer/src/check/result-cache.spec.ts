import { describe, expect, it } from '@jest/globals';
import type { AttributeBag, CheckDispatch, Value } from '@seine/mixer';
import { ResultCache } from './result-cache.js';

const dispatchOf = (...reads: string[]): CheckDispatch => ({ instance: { reads } }) as unknown as CheckDispatch;
const bagOf = (values: Readonly<Record<string, Value>>): AttributeBag => ({ get: (name) => values[name] });
const headers = (entries: Readonly<Record<string, string>>): Value => new Map(Object.entries(entries));

describe('remembered verdicts', () => {
  const byIp = dispatchOf('source.ip');
  const anna = bagOf({ 'source.ip': '10.0.0.1' });
  const ben = bagOf({ 'source.ip': '10.0.0.2' });

  it('hold as long as the adapter says', () => {
    const cache = new ResultCache();
    cache.keep(cache.keyOf(byIp, anna), { code: 7, validMs: 1000 }, 5000);
    expect(cache.find(cache.keyOf(byIp, anna), 5999)).toMatchObject({ code: 7 });
    expect(cache.find(cache.keyOf(byIp, ben), 5999)).toBeUndefined();
    expect(cache.find(cache.keyOf(byIp, anna), 6000)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('hold as often as the adapter says, the first request among them', () => {
    const cache = new ResultCache();
    const key = cache.keyOf(byIp, anna);
    cache.keep(key, { code: 0, validMs: 1000, validUses: 3 }, 0);
    expect([1, 2, 3].map(() => cache.find(key, 1)?.code)).toEqual([0, 0, undefined]);
  });

  it.each([
    { validMs: 1000, message: 'x'.repeat(5000) },
    {},
    { validMs: 0 },
    { validMs: NaN },
    { validMs: 1000, validUses: 1 },
    { validMs: 1000, validUses: 0 },
  ])('are none with %j', (valid) => {
    const cache = new ResultCache();
    cache.keep(cache.keyOf(byIp, anna), { code: 0, ...valid }, 0);
    expect(cache.size).toBe(0);
  });

  it('are of one instance for one handler', () => {
    const cache = new ResultCache();
    cache.keep(cache.keyOf(byIp, anna), { code: 7, validMs: 1000 }, 0);
    expect(cache.find(cache.keyOf(dispatchOf('source.ip'), anna), 1)).toBeUndefined();
  });

  it('tell apart what is absent, empty, and said of another attribute', () => {
    const cache = new ResultCache();
    const two = dispatchOf('source.name', 'source.namespace');
    const absentOrNot: readonly Readonly<Record<string, Value>>[] = [
      {},
      { 'source.name': '' },
      { 'source.namespace': '' },
      { 'source.name': 'a' },
      { 'source.namespace': 'a' },
      { 'source.name': 'a', 'source.namespace': 'b' },
      { 'source.name': 'ab' },
      { 'source.name': '=a2:=b' },
    ];
    const keys = absentOrNot.map((values) => cache.keyOf(two, bagOf(values)));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('look at an entry of a map alone where the instance does', () => {
    const cache = new ResultCache();
    const byCookie = dispatchOf('request.headers["cookie"]');
    const key = (entries: Readonly<Record<string, string>>) =>
      cache.keyOf(byCookie, bagOf({ 'request.headers': headers(entries) }));
    expect(key({ cookie: 'a', other: '1' })).toBe(key({ other: '2', cookie: 'a' }));
    expect(key({ cookie: 'a' })).not.toBe(key({ cookie: 'b' }));
    const all = dispatchOf('request.headers');
    const allKey = (entries: Readonly<Record<string, string>>) =>
      cache.keyOf(all, bagOf({ 'request.headers': headers(entries) }));
    expect(allKey({ a: '1', b: '2' })).toBe(allKey({ b: '2', a: '1' }));
    expect(allKey({ a: '1' })).not.toBe(allKey({ a: '2' }));
  });

  it('are not kept of what no other request can have, nor of what is long', () => {
    const cache = new ResultCache();
    expect(cache.keyOf(dispatchOf('request.time'), anna)).toBeUndefined();
    expect(cache.keyOf(dispatchOf('request.path'), bagOf({ 'request.path': 'x'.repeat(5000) }))).toBeUndefined();
  });

  it('are bounded: the oldest go', () => {
    const cache = new ResultCache(100);
    const at = (i: number) => cache.keyOf(byIp, bagOf({ 'source.ip': `10.0.0.${i}` }));
    for (let i = 0; i < 1000; i++) cache.keep(at(i), { code: 0, validMs: 1000 }, 0);
    expect(cache.size).toBe(100);
    expect(cache.find(at(0), 1)).toBeUndefined();
    expect(cache.find(at(999), 1)).toBeDefined();
  });
});
