import { describe, expect, it } from '@jest/globals';
import { AttributeMap } from './attribute-map.js';

const limits = { text: 10, entries: 3, total: 40 };

describe('attributes from outside', () => {
  it('are kept as they are', () => {
    const map = new AttributeMap(limits);
    const headers = new Map([['a', 'b']]);
    map.set('request.path', '/');
    map.set('request.headers', headers);
    map.set('response.code', 200);
    expect([map.get('request.path'), map.get('response.code'), map.cut]).toEqual(['/', 200, 0]);
    expect(map.get('request.headers')).toBe(headers);
  });

  it.each<readonly [what: string, value: string | ReadonlyMap<string, string>, kept: unknown]>([
    ['a text that is too long', 'x'.repeat(1_000_000), 'x'.repeat(10)],
    ['an entry that is too long', new Map([['a', 'x'.repeat(1_000_000)]]), new Map([['a', 'x'.repeat(10)]])],
    [
      'too many entries',
      new Map(Array.from({ length: 1000 }, (_, i) => [`${i}`, 'v'])),
      new Map([
        ['0', 'v'],
        ['1', 'v'],
        ['2', 'v'],
      ]),
    ],
  ])('are cut: %s', (_, value, kept) => {
    const map = new AttributeMap(limits);
    map.set('a', value);
    expect(map.get('a')).toEqual(kept);
    expect(map.cut).toBe(1);
  });

  it('are bounded in all', () => {
    const map = new AttributeMap(limits);
    for (let i = 0; i < 100; i++) map.set(`a${i}`, 'x'.repeat(10));
    const total = [...map.entries()].reduce((sum, [, value]) => sum + (value as string).length, 0);
    expect(total).toBe(40);
    expect(map.cut).toBe(96);
  });
});
