import { describe, expect, it } from '@jest/globals';
import { defaultLifetimes, grantLifetime, renewalTime } from './lifetime.js';

describe('lifetimes', () => {
  it.each([
    [0, { seconds: 86_400 }],
    [-1, { seconds: 86_400 }],
    [Number.NaN, { seconds: 86_400 }],
    [60, { seconds: 60 }],
    [7_776_000, { seconds: 7_776_000 }],
    [7_776_001, { error: 'a lifetime of 7776001 s is longer than the maximum of 7776000 s' }],
  ])('C-13 asked for %d s', (asked, granted) => expect(grantLifetime(asked, defaultLifetimes)).toEqual(granted));

  it('never fall back beyond the maximum', () => {
    expect(grantLifetime(0, { fallback: 100, maximum: 10 })).toEqual({ seconds: 10 });
  });

  it.each([
    [0, 1490],
    [0.5, 1500],
    [0.999_999, 1510],
  ])('S-4 are renewed at half, spread by a hundredth (%d)', (random, at) => {
    expect(renewalTime(1000, 2000, random)).toBeCloseTo(at, 1);
  });
});
