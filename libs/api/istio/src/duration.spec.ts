import { describe, expect, it } from '@jest/globals';
import { parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each<[string, number | undefined]>([
    ['5s', 5000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['100ms', 100],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['1000ns', 0.001],
    ['-2s', -2000],
    ['0', 0],
    ['0s', 0],
    ['5', undefined],
    ['5 s', undefined],
    ['s', undefined],
    ['5d', undefined],
    ['', undefined],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
});
