import { describe, expect, it } from '@jest/globals';
import { hostsOverlap, intersectNames, isSubsetOf } from './hostnames.js';

describe('names of hosts', () => {
  it.each([
    ['a.com', 'a.com', true],
    ['a.com', 'b.com', false],
    ['*.com', 'a.com', true],
    ['a.com', '*.com', true],
    ['*', 'a.com', true],
    ['*', '*.com', true],
    ['*.a.com', '*.com', true],
    ['*.com', '*.a.com', true],
    ['*.a.com', 'a.com', false],
    ['a.com', '*.a.com', false],
    ['*.a.com', '*.b.com', false],
  ])('%s and %s have hosts in common: %s', (a, b, expected) => {
    expect(hostsOverlap(a, b)).toBe(expected);
    expect(hostsOverlap(b, a)).toBe(expected);
  });

  it.each([
    ['a.b.com', '*.b.com', true],
    ['*.a.b.com', '*.b.com', true],
    ['*.b.com', '*.a.b.com', false],
    ['*.b.com', 'a.b.com', false],
    ['a.com', '*', true],
    ['*', 'a.com', false],
  ])('%s is part of %s: %s', (name, of, expected) => {
    expect(isSubsetOf(name, of)).toBe(expected);
  });

  it('meet in the narrower one', () => {
    expect(intersectNames(['*.com', 'x.org', 'a.net'], ['*.a.com', '*.org', 'b.net'])).toEqual(['*.a.com', 'x.org']);
  });
});
