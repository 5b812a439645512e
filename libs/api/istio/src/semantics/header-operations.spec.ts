import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

type Errors = readonly (readonly [string, string])[];

const destination = { host: 'reviews' };
const errorsOf = (rule: object): Errors =>
  semanticErrors('VirtualService', { hosts: ['reviews'], http: [{ route: [{ destination }], ...rule }] }).map(
    ({ path = '', message }) => [path, message],
  );
const request = 'spec.http[0].headers.request';
const response = 'spec.http[0].headers.response';

describe('changes to headers', () => {
  it.each([
    ['a variable', '%DOWNSTREAM_REMOTE_ADDRESS%'],
    ['a variable with an argument', 'id=%REQ(x-request-id)%;'],
    ['an argument that is cut', '%REQ(x-request-id):10%'],
    ['arguments as a list', '%UPSTREAM_METADATA(["envoy.lb", "version"])%'],
    ['a sign written twice', '100%%'],
    ['nothing', ''],
    ['a tab', 'a\tb'],
  ])('take %s as value', (_, value) => {
    expect(errorsOf({ headers: { request: { set: { 'x-a': value } } } })).toEqual([]);
  });

  it.each([
    ['a lone sign', '100%'],
    ['a variable without end', 'abc%123'],
    ['an argument without end', '%REQ(x-request-id'],
    ['a sign after a variable', '%START_TIME%%'],
  ])('refuse %s as value', (_, value) => {
    expect(errorsOf({ headers: { response: { add: { 'x-a': value } } } })).toEqual([
      [`${response}.add.x-a`, expect.stringMatching(/write %% for the sign itself/)],
    ]);
  });

  it('refuse line breaks', () => {
    expect(errorsOf({ headers: { request: { set: { 'x-a': 'a\nb' } } } })).toEqual([
      [`${request}.set.x-a`, 'must not hold control characters'],
    ]);
  });

  it.each<[string, object, Errors]>([
    ['the host of a request', { request: { set: { Host: 'a.example.com' } } }, []],
    ['the authority of a request', { request: { set: { ':authority': 'a.example.com' } } }, []],
    [
      'the host of a response',
      { response: { set: { host: 'a' } } },
      [[`${response}.set.host`, 'the header host can only be set on requests']],
    ],
    [
      'removing the host',
      { request: { remove: ['x-a', 'host'] } },
      [[`${request}.remove[1]`, 'the header host can only be set on requests']],
    ],
    [
      'a pseudo-header',
      { request: { add: { ':path': '/' } } },
      [[`${request}.add[":path"]`, 'the pseudo-header :path cannot be changed']],
    ],
    ['no name', { request: { remove: [''] } }, [[`${request}.remove[0]`, 'a header name must not be empty']]],
  ])('%s', (_, headers, expected) => {
    expect(errorsOf({ headers })).toEqual(expected);
  });

  it('say when the authority is written in two places', () => {
    expect(errorsOf({ rewrite: { authority: 'a' }, headers: { request: { set: { Host: 'b' } } } })).toEqual([
      ['spec.http[0]', 'the authority is set more than once, by rewrite.authority or headers.request'],
    ]);
  });
});
