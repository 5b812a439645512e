import { describe, expect, it } from '@jest/globals';
import { formatAge, renderData } from './format.js';

describe('formatAge', () => {
  it.each([
    [-5, '0s'],
    [999, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [7_199_000, '119m'],
    [7_200_000, '2h'],
    [172_800_000, '2d'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });
});

describe('renderData', () => {
  const shared = { z: 1 };
  it.each([
    ['json', '{\n  "b": {\n    "z": 1\n  },\n  "a": {\n    "z": 1\n  }\n}\n'],
    ['yaml', 'b:\n  z: 1\na:\n  z: 1\n'],
  ] as const)('%s keeps the order and has no aliases', async (format, text) => {
    expect(await renderData({ b: shared, a: shared }, format)).toBe(text);
  });

  it('yaml folds no long line', async () => {
    const long = 'word '.repeat(60).trim();
    expect(await renderData({ long }, 'yaml')).toBe(`long: ${long}\n`);
  });
});
