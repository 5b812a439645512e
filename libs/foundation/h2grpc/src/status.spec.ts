import { describe, expect, it } from '@jest/globals';
import { encodeGrpcMessage } from './status.js';

describe('encodeGrpcMessage', () => {
  it.each([
    ['plain text, with ~', 'plain text, with ~'],
    ['100%', '100%25'],
    ['a\nb\x7f', 'a%0Ab%7F'],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ['😀', '%F0%9F%98%80'],
    ['half of a pair \ud800', 'half of a pair %EF%BF%BD'],
  ])('%j', (text, encoded) => {
    expect(encodeGrpcMessage(text)).toBe(encoded);
  });
});
