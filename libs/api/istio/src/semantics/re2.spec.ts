import { describe, expect, it } from '@jest/globals';
import { re2SyntaxError } from './re2.js';

describe('RE2 expressions', () => {
  it.each(['^/api/v[0-9]+/.*$', '(?i)abc', '(?P<name>x)', '\\d{1,3}', '[[:alpha:]]', '\\p{Greek}', ''])(
    'takes %s',
    (expression) => expect(re2SyntaxError(expression)).toBeUndefined(),
  );

  it.each([
    ['(', /missing closing/],
    ['[a', /bracket|\]/],
    ['*', /repetition|argument/],
    ['(?=a)', /./],
    ['(a)\\1', /escape/],
    ['a{1001}', /repeat|repetition/],
    ['a'.repeat(10_000), /longer/],
  ])('refuses %s', (expression, reason) => expect(re2SyntaxError(expression)).toMatch(reason));

  it('judges an expression that would keep a backtracking engine busy for years', () => {
    expect(re2SyntaxError('(a+)+'.repeat(20) + '$')).toBeUndefined();
  });
});
