import { describe, expect, it } from '@jest/globals';
import { discover, publicKeysOf } from './find-keys.js';
import { signingKey } from './testing/token-issuer.js';

const document = (text: string) => (url: string) =>
  url === 'https://a.example.com/.well-known/openid-configuration'
    ? Promise.resolve(text)
    : Promise.reject(new Error(url));

describe('discover', () => {
  it.each(['https://a.example.com', 'https://a.example.com/'])('finds the keys of %s', async (issuer) => {
    expect(await discover(document('{"jwks_uri":"https://b.example.com/keys"}'), issuer)).toBe(
      'https://b.example.com/keys',
    );
  });

  it.each([
    ['<html>', 'is not JSON'],
    ['null', 'has no "jwks_uri"'],
    ['{"jwks_uri":5}', 'has no "jwks_uri"'],
    ['[]', 'has no "jwks_uri"'],
  ])('takes no %s', async (text, said) => {
    await expect(discover(document(text), 'https://a.example.com')).rejects.toThrow(said);
  });
});

describe('publicKeysOf', () => {
  const keys = [signingKey('RS256', 'a'), signingKey('ES256', 'b'), signingKey('EdDSA', 'c')].map(({ jwk }) => jwk);
  const read = (...list: readonly unknown[]) => publicKeysOf(JSON.stringify({ keys: list }), 'https://a/keys');

  it('gives the same text in whatever order they come', () => {
    const { jwks, count, leftOut } = read(...keys);
    expect(read(...[...keys].reverse()).jwks).toBe(jwks);
    expect(JSON.parse(jwks)).toMatchObject({ keys: expect.arrayContaining(keys) as unknown });
    expect([count, leftOut]).toEqual([3, []]);
  });

  it('leaves out what is no public key', () => {
    const [rsa = {}, ec = {}] = keys;
    const { jwks, count, leftOut } = read(
      rsa,
      { kty: 'oct', k: 'c2VjcmV0' },
      { ...ec, x: 'AAAA' },
      { ...rsa, d: 'AA' },
    );
    expect(JSON.parse(jwks)).toEqual({ keys: [expect.objectContaining({ kid: 'a' })] });
    expect(count).toBe(1);
    expect(leftOut).toEqual([
      expect.stringContaining('keys[1] is symmetric'),
      'keys[2] has numbers that are no key',
      expect.stringContaining('keys[3] is a private key'),
    ]);
  });

  it('takes an empty set for what it says: no token is valid', () => {
    expect(read()).toMatchObject({ jwks: '{"keys":[]}', count: 0, leftOut: [] });
  });

  it.each([
    ['<html>', 'https://a/keys is not JSON'],
    ['{"error":"no"}', 'https://a/keys is not a JSON Web Key Set'],
  ])('takes no %s', (text, said) => expect(() => publicKeysOf(text, 'https://a/keys')).toThrow(said));
});
