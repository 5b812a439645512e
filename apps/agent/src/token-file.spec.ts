import { describe, expect, it } from '@jest/globals';
import { TokenFile } from './token-file.js';

describe('TokenFile', () => {
  it.each<[string, string | undefined, RegExp | undefined, string | undefined]>([
    ['a token', 'abc', undefined, 'abc'],
    ['a newline at the end', 'abc\n', /newline at its end/, 'abc'],
    ['no file', undefined, /is not there/, undefined],
    ['an empty file', '\n', /is empty/, undefined],
  ])('reads %s', (_name, text, remark, token) => {
    const file = new TokenFile();
    const said = file.read(text);
    if (remark) expect(said).toMatch(remark);
    else expect(said).toBeUndefined();
    expect(file.token).toBe(token);
  });

  it('knows an Envoy by the token now and the one before, by no other', () => {
    const file = new TokenFile();
    expect(file.matches('')).toBe(false);
    for (const token of ['one', 'two', 'two\n', 'three']) file.read(token);
    expect(['one', 'two', 'three', '', 'thre'].map((bearer) => file.matches(bearer))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    file.read(undefined);
    expect(file.token).toBeUndefined();
  });
});
