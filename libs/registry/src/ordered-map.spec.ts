import { describe, expect, it } from '@jest/globals';
import { patchOrderedMap } from './ordered-map.js';

const map = new Map([
  ['b', 1],
  ['d', 2],
]);

describe('patchOrderedMap', () => {
  it.each<[string, readonly [string, number | undefined][], readonly [string, number][]]>([
    [
      'new keys at both ends and between',
      [
        ['e', 5],
        ['a', 3],
        ['c', 4],
      ],
      [
        ['a', 3],
        ['b', 1],
        ['c', 4],
        ['d', 2],
        ['e', 5],
      ],
    ],
    [
      'a new value',
      [['b', 9]],
      [
        ['b', 9],
        ['d', 2],
      ],
    ],
    ['a key that goes', [['b', undefined]], [['d', 2]]],
    [
      'all at once',
      [
        ['b', undefined],
        ['c', 7],
        ['d', 8],
      ],
      [
        ['c', 7],
        ['d', 8],
      ],
    ],
  ])('takes %s', (_, changes, expected) => {
    expect([...patchOrderedMap(map, new Map(changes))]).toEqual(expected);
    expect([...map]).toEqual([
      ['b', 1],
      ['d', 2],
    ]);
  });

  it('returns the same map for no real change', () => {
    expect(
      patchOrderedMap(
        map,
        new Map<string, number | undefined>([
          ['b', 1],
          ['x', undefined],
        ]),
      ),
    ).toBe(map);
  });
});
