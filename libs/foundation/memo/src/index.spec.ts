import { describe, expect, it } from '@jest/globals';
import { deepEqual, deepFreeze, internByKey, internList, memo, memoRuns, sameEntries, sameItems } from './index.js';

describe('memo', () => {
  it('runs once for the same identities, and again for another', () => {
    const sum = memo('sum', (a: { n: number }, b: { n: number }, scale: number) => ({ n: (a.n + b.n) * scale }));
    const [one, two] = [{ n: 1 }, { n: 2 }];
    const first = sum(one, two, 10);
    expect(first).toEqual({ n: 30 });
    expect(sum(one, two, 10)).toBe(first);
    expect(sum.runs()).toBe(1);
    expect(sum({ n: 1 }, two, 10)).not.toBe(first);
    expect(sum(one, two, 11)).toEqual({ n: 33 });
    expect(sum(two, one, 10)).not.toBe(first);
    expect(sum.runs()).toBe(4);
  });

  it.each([[undefined], [null], [0], ['']])('remembers the result %p too', (result) => {
    const give = memo<[key: object], unknown>('give', () => result);
    const key = {};
    expect([give(key), give(key)]).toEqual([result, result]);
    expect(give.runs()).toBe(1);
  });

  it('tells undefined, null and the empty string apart as arguments', () => {
    const name = memo('name', (_key: object, value: unknown) => [value]);
    const key = {};
    expect([undefined, null, ''].map((value) => name(key, value)[0])).toEqual([undefined, null, '']);
    expect(name.runs()).toBe(3);
  });

  it('does not remember what threw', () => {
    let broken = true;
    const risky = memo<[key: object], string>('risky', () => {
      if (broken) throw new Error('not yet');
      return 'done';
    });
    const key = {};
    expect(() => risky(key)).toThrow('not yet');
    broken = false;
    expect(risky(key)).toBe('done');
  });

  it('counts runs by label over all functions of that label', () => {
    const [one, two] = [memo('counted', (key: object) => key), memo('counted', (key: object) => [key])];
    const before = memoRuns('counted');
    const key = {};
    one(key);
    one(key);
    two(key);
    expect(memoRuns('counted') - before).toBe(2);
    expect(memoRuns('never used')).toBe(0);
  });
});

describe('internList', () => {
  const intern = internList();
  const [a, b] = [{ name: 'a' }, { name: 'b' }];

  it('gives one frozen list for equal sequences of identities', () => {
    const list = intern([a, b]);
    expect(intern([a, b])).toBe(list);
    expect(list).toEqual([a, b]);
    expect(Object.isFrozen(list)).toBe(true);
    expect(intern([])).toBe(intern([]));
  });

  it.each([
    ['order', [b, a]],
    ['length', [a]],
    ['identity', [{ name: 'a' }, b]],
  ])('heeds the %s', (_what, other) => {
    expect(intern(other)).not.toBe(intern([a, b]));
  });
});

describe('internByKey', () => {
  it('gives the object that came first under a key, until the limit pushes it out', () => {
    const intern = internByKey<{ n: number }>(2);
    const first = intern('a', () => ({ n: 1 }));
    expect(intern('a', () => ({ n: 2 }))).toBe(first);
    intern('b', () => ({ n: 3 }));
    expect(intern('a', () => ({ n: 4 }))).toBe(first);
    intern('c', () => ({ n: 5 }));
    expect(intern('a', () => ({ n: 6 }))).toEqual({ n: 6 });
  });
});

describe('equality', () => {
  const shared = {};
  it.each([
    [[shared, 1], [shared, 1], true],
    [[shared], [{}], false],
    [[1], [1, 2], false],
  ])('sameItems(%j, %j) is %s', (a, b, expected) => {
    expect(sameItems(a, b)).toBe(expected);
  });

  it.each([
    [new Map([['a', shared]]), new Map([['a', shared]]), true],
    [new Map([['a', shared]]), new Map([['a', {}]]), false],
    [new Map([['a', undefined]]), new Map([['b', undefined]]), false],
    [new Map([['a', 1]]), new Map<string, unknown>(), false],
  ])('sameEntries(%p, %p) is %s', (a, b, expected) => {
    expect(sameEntries<string, unknown>(a, b)).toBe(expected);
  });

  it.each([
    [{ a: [1, { b: null }] }, { a: [1, { b: null }] }, true],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: undefined }, {}, false],
    [{ a: undefined }, { b: undefined }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [new Map([['a', [1]]]), new Map([['a', [1]]]), true],
    [new Map([['a', 1]]), new Map([['a', 2]]), false],
    [NaN, NaN, true],
    ['1', 1, false],
  ])('deepEqual(%p, %p) is %s', (a, b, expected) => {
    expect(deepEqual(a, b)).toBe(expected);
    expect(deepEqual(b, a)).toBe(expected);
  });
});

describe('deepFreeze', () => {
  it('freezes all of a value and gives it back', () => {
    const value = { list: [{ inner: 1 }] };
    expect(deepFreeze(value)).toBe(value);
    expect([value, value.list, value.list[0]].every((part) => Object.isFrozen(part))).toBe(true);
  });
});
