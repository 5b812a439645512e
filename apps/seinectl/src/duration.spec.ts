import { describe, expect, it } from '@jest/globals';
import { parseSeconds } from './duration.js';

describe('parseSeconds', () => {
  it.each([
    ['30s', 30],
    ['1m30s', 90],
    ['500ms', 0.5],
    ['1.5h', 5400],
    ['0s', 0],
  ])('%s', (text, seconds) => {
    expect(parseSeconds(text, '--timeout')).toBe(seconds);
  });

  it.each(['', '30', 's', '5 s', '5x', '-1s', '1s!'])('refuses %j', (text) => {
    expect(() => parseSeconds(text, '--timeout')).toThrow(/^--timeout: .* is not a duration such as 30s/);
  });
});
