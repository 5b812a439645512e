import { expect, it } from '@jest/globals';
import { parseHostPort, urlProblems } from './address.js';

it.each([
  ['localhost:8125', { host: 'localhost', port: 8125 }],
  ['fluentd-es.logging:24224', { host: 'fluentd-es.logging', port: 24224 }],
  ['[::1]:1', { host: '::1', port: 1 }],
  ['::1:80', undefined],
  ['localhost', undefined],
  [':80', undefined],
  ['a:0', undefined],
  ['a:65536', undefined],
  ['http://a:80', undefined],
])('parseHostPort %s', (text, expected) => {
  expect(parseHostPort(text)).toEqual(expected);
});

it.each(['http://a:secret@b/', 'ftp://a:secret@b/'])('no problem of %s repeats its password', (text) => {
  const [problem] = urlProblems('url', text);
  expect(problem?.path).toBe('url');
  expect(problem?.message).not.toContain('secret');
});
