import { describe, expect, it } from '@jest/globals';
import { goDuration } from './go-duration.js';

describe('goDuration', () => {
  it.each([
    [0, '0s'],
    [0.000001, '1ns'],
    [0.0015, '1.5µs'],
    [13.601485, '13.601485ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [62_000, '1m2s'],
    [3_600_000, '1h0m0s'],
    [-62_500, '-1m2.5s'],
  ])('%d ms is %s', (given, expected) => {
    expect(goDuration(given)).toBe(expected);
  });
});
