import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readKeySet } from './key-set.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pub = (pair: { readonly publicKey: { export: (options: { format: 'jwk' }) => object } }): object =>
  pair.publicKey.export({ format: 'jwk' });
const setOf = (...keys: readonly unknown[]): string => JSON.stringify({ keys });

describe('readKeySet', () => {
  it('takes public keys of every type that Envoy knows, without what is not needed', () => {
    const keys = [{ ...pub(rsa), kid: 'a', alg: 'RS256', use: 'sig' }, { ...pub(ec), kid: 'b' }, pub(ed)];
    const extra = keys.map((key) => ({ ...key, x5c: ['MII'], x5t: 'abc', key_ops: ['verify'] }));
    expect(readKeySet(setOf(...extra))).toEqual({ keys, problems: [] });
  });

  it('leaves keys for encryption out without a word', () => {
    expect(readKeySet(setOf({ ...pub(rsa), use: 'enc' }))).toEqual({ keys: [], problems: [] });
  });

  it.each<[string, unknown, string]>([
    ['that is symmetric', { kty: 'oct', k: 'c2VjcmV0' }, 'is symmetric ("oct"): whoever can read it'],
    ['that is private (RSA)', rsa.privateKey.export({ format: 'jwk' }), 'is a private key'],
    ['that is private (EC)', ec.privateKey.export({ format: 'jwk' }), 'is a private key'],
    ['that is private (OKP)', ed.privateKey.export({ format: 'jwk' }), 'is a private key'],
    ['without a type', {}, 'has no type ("kty")'],
    ['that is no object', 'key', 'has no type ("kty")'],
    ['that is null', null, 'has no type ("kty")'],
    ['of an unknown type', { kty: 'XYZ' }, 'has the type "XYZ", none of RSA, EC and OKP'],
    ['named as what every object has', { kty: 'constructor' }, 'has the type "constructor"'],
    ['without a modulus', { kty: 'RSA', e: 'AQAB' }, 'of type RSA has no "n"'],
    ['whose modulus is a number', { kty: 'RSA', e: 'AQAB', n: 5 }, 'of type RSA has no "n"'],
    ['whose modulus is no base64url', { kty: 'RSA', e: 'AQAB', n: 'a b' }, 'has a "n" that is not base64url'],
    ['off its curve', { ...pub(ec), x: 'AAAA' }, 'has numbers that are no key'],
    ['with an even exponent', { ...pub(rsa), e: 'Ag' }, 'has numbers that are no key'],
    ['with a huge exponent', { ...pub(rsa), e: '____________' }, 'has numbers that are no key'],
    ['of another type than its algorithm', { ...pub(rsa), alg: 'ES256' }, 'is for the algorithm "ES256"'],
    ['of another curve than its algorithm', { ...pub(ec), alg: 'ES384' }, 'is for the algorithm "ES384"'],
    ['on another curve', { kty: 'EC', crv: 'secp256k1', x: 'a', y: 'b' }, 'has the curve "secp256k1", none of'],
  ])('does not take a key %s, and takes the others', (_what, key, message) => {
    const { keys, problems } = readKeySet(setOf(key, pub(ec)));
    expect(keys).toEqual([pub(ec)]);
    expect(problems).toMatchObject([{ index: 0, message: expect.stringContaining(message) as unknown }]);
  });

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'it has no list "keys"'],
    ['null', 'it has no list "keys"'],
    ['{"keys":{}}', 'it has no list "keys"'],
  ])('does not take %s', (text, message) => {
    expect(readKeySet(text)).toMatchObject({
      keys: [],
      problems: [{ message: expect.stringContaining(message) as unknown }],
    });
  });
});
