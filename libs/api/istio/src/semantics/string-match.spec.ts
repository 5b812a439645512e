import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

const pathsOf = (match: object) =>
  semanticErrors('VirtualService', {
    hosts: ['reviews'],
    http: [{ match: [match], route: [{ destination: { host: 'reviews' } }] }],
  }).map(({ path }) => path);

describe('conditions on strings', () => {
  it.each([
    ['an empty prefix of the path', { uri: { prefix: '' } }],
    ['a header that is there', { headers: { 'x-a': {} } }],
    ['a header that is not there', { withoutHeaders: { 'x-a': {} } }],
    ['a header that is not there, as Istio also writes it', { withoutHeaders: { 'x-a': { regex: '*' } } }],
    ['a claim of a token', { headers: { '@request.auth.claims.groups': { exact: 'admin' } } }],
    ['a pseudo-header', { headers: { ':method': { exact: 'GET' } } }],
  ])('taken: %s', (_, match) => {
    expect(pathsOf(match)).toEqual([]);
  });

  it.each([
    ['an empty prefix of a header', { headers: { 'x-a': { prefix: '' } } }, 'headers.x-a.prefix'],
    ['an empty expression', { uri: { regex: '' } }, 'uri.regex'],
    ['what RE2 does not know', { uri: { regex: '(?=a)' } }, 'uri.regex'],
    ['an expression that is open', { queryParams: { q: { regex: '(' } } }, 'queryParams.q.regex'],
    ['an expression of too many characters', { method: { regex: 'a'.repeat(1025) } }, 'method.regex'],
    ['a header that must match "*"', { headers: { 'x-a': { regex: '*' } } }, 'headers.x-a.regex'],
    ['a header name with a space', { headers: { 'x a': { exact: 'b' } } }, 'headers'],
  ])('refused: %s', (_, match, path) => {
    expect(pathsOf(match)).toEqual([`spec.http[0].match[0].${path}`]);
  });
});
