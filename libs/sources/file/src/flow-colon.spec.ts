import { describe, expect, it } from '@jest/globals';
import { parseDocument } from 'yaml';
import { restoreTrailingColons } from './flow-colon.js';

function read(text: string): unknown {
  const document = parseDocument(text);
  restoreTrailingColons(document, text);
  return document.toJS();
}

describe('restoreTrailingColons', () => {
  it.each<[string, unknown]>([
    ['a: [1.1.1.1, 2001:db8::]', { a: ['1.1.1.1', '2001:db8::'] }],
    ['a: [2001:db8::, 1.1.1.1]', { a: ['2001:db8::', '1.1.1.1'] }],
    ['a: [::]', { a: ['::'] }],
    ['a: [b: 1, c]', { a: [{ b: 1 }, 'c'] }],
    ['a: [{b: }, c]', { a: [{ b: null }, 'c'] }],
    ['a: [b: ]', { a: [{ b: null }] }],
    ['a: ["b:", c]', { a: ['b:', 'c'] }],
    ['a:\n  - b:\n', { a: [{ b: null }] }],
  ])('reads %j as Kubernetes does', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});
