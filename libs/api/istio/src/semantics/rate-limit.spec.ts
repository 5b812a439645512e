import { describe, expect, it } from '@jest/globals';
import { validateObject } from '../validation/validate-object.js';

function found(spec: unknown): readonly string[] {
  const object = {
    apiVersion: 'policy.seine.dev/v1alpha1',
    kind: 'RateLimit',
    metadata: { name: 'limit', namespace: 'default' },
    spec,
  };
  return validateObject(object).map(({ code, path, message }) => `${code} ${path}: ${message}`);
}

const local = (more: object) => ({ local: [{ requests: 1, per: '1s', ...more }] });
const global = (more: object) => ({ global: [{ requests: 1, per: '1s', ...more }] });

describe('RateLimit', () => {
  it.each([
    [local({})],
    [local({ burst: 10, statusCode: 503, match: { path: { regex: '/a/[0-9]+' } }, perConnection: true })],
    [global({ domain: 'shop', match: { methods: ['GET'] }, descriptors: [{ genericKey: 'all' }] })],
    [{ ...global({ failOpen: true, timeout: '20ms' }), service: { host: 'ratelimit', port: 8081 } }],
  ])('takes %j', (spec) => expect(found(spec)).toEqual([]));

  it.each<[unknown, RegExp]>([
    [{}, /spec: .*at least one limit/],
    [{ local: [{ requests: 1 }] }, /spec\.local\[0\]\.per/],
    [local({ requests: 0 }), /spec\.local\[0\]\.requests/],
    [local({ per: '10ms' }), /spec\.local\[0\]\.per: must be 50ms at least/],
    [local({ statusCode: 420 }), /spec\.local\[0\]\.statusCode: 420 is not a status/],
    [local({ statusCode: 200 }), /spec\.local\[0\]\.statusCode/],
    [local({ headers: { 'a b': 'c' } }), /spec\.local\[0\]\.headers.*is not a header name/],
    [local({ match: { path: { regex: '(' } } }), /spec\.local\[0\]\.match\.path\.regex: is not an RE2/],
    [local({ match: { headers: { a: { regex: '(' } } } }), /spec\.local\[0\]\.match\.headers\.a\.regex/],
    [local({ descriptors: [{ key: 'a' }] }), /spec\.local\[0\]\.descriptors\[0\]: must say/],
    [local({ descriptors: [{ fromPath: false }] }), /spec\.local\[0\]\.descriptors\[0\]: must say/],
    [local({ descriptors: [{ fromPath: true, fromMethod: true }] }), /spec\.local\[0\]\.descriptors\[0\]/],
    [local({ descriptors: [{ key: 'a', remoteAddress: true }] }), /descriptors\[0\]\.key: cannot be chosen/],
    [local({ descriptors: [{ fromPath: true }], perConnection: true }), /cannot be used together/],
    [global({ domain: 'shop' }), /spec\.global\[0\]\.domain: .*needs descriptors/],
    [
      global({ domain: 'shop', match: { methods: ['GET'] }, descriptors: [{ fromPath: true }] }),
      /spec\.global\[0\]\.match: needs a genericKey/,
    ],
    [{ ...global({}), service: { host: 'a_b', port: 80 } }, /spec\.service\.host: "a_b" is not a DNS name/],
    [{ ...local({}), selector: {}, targetRefs: [{ kind: 'Gateway', name: 'a' }] }, /only one of/],
  ])('refuses %j', (spec, message) => {
    const messages = found(spec);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(message);
  });
});
