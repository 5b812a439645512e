import { describe, expect, it } from '@jest/globals';
import { nearMatch, suggestion } from './near-match.js';

const words = ['VirtualService', 'DestinationRule', 'timeout', 'retries', 'route'];

describe('nearMatch', () => {
  it.each([
    ['VirtualServise', 'VirtualService'],
    ['virtualservice', 'VirtualService'],
    ['timeOut', 'timeout'],
    ['retrys', 'retries'],
    ['routes', 'route'],
    ['mirror', undefined],
    ['x'.repeat(100_000), undefined],
    ['', undefined],
  ])('%#: %s', (word, expected) => {
    expect(nearMatch(word, words)).toBe(expected);
  });

  it('makes a sentence of it, or nothing', () => {
    expect(suggestion('rout', words)).toBe(' Did you mean route?');
    expect(suggestion('elephant', words)).toBe('');
  });
});
