import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { makeRoot } from './signer.js';
import { formatBundle, parseBundle } from './trust-bundle.js';

const roots = async () =>
  await Promise.all(
    ['td', 'td'].map(async (trustDomain) => (await makeRoot({ trustDomain, now: Date.now(), lifetimeMs: 1e6 })).roots),
  );

describe('SPIFFE bundles', () => {
  it('C-19 have a key a root, with its certificate, a use and no kid', async () => {
    const pems = await roots();
    const bundle = formatBundle(pems, 7, 300);
    expect(bundle).toMatchObject({ spiffe_sequence: 7, spiffe_refresh_hint: 300 });
    expect(bundle.keys).toHaveLength(2);
    bundle.keys.forEach((key, i) => {
      expect(Object.keys(key).sort()).toEqual(['crv', 'kty', 'use', 'x', 'x5c', 'y']);
      expect(key).toMatchObject({
        use: 'x509-svid',
        kty: 'EC',
        crv: 'P-256',
        x5c: [new X509Certificate(pems[i]!).raw.toString('base64')],
      });
    });
  });

  it('are read back', async () => {
    const pems = await roots();
    expect(parseBundle(JSON.stringify(formatBundle(pems, 1, 1)))).toEqual({ roots: pems, sequence: 1, refreshHint: 1 });
  });

  it.each([
    ['nothing', '', /not a SPIFFE bundle/],
    ['no keys', '{}', /has a list of keys/],
    ['no certificate', '{"keys":[{"use":"x509-svid"}]}', /one certificate in x5c/],
    ['two certificates', '{"keys":[{"use":"x509-svid","x5c":["a","b"]}]}', /one certificate in x5c/],
    ['junk', '{"keys":[{"use":"x509-svid","x5c":["aGVsbG8="]}]}', /not a SPIFFE bundle/],
  ])('of %s are refused', (_name, text, reason) => {
    expect(parseBundle(text)).toEqual({ error: expect.stringMatching(reason) });
  });

  it('may hold keys of other uses, which are passed over', () => {
    expect(parseBundle('{"keys":[{"use":"jwt-svid","kty":"EC"}]}')).toEqual({ roots: [], sequence: 0, refreshHint: 0 });
  });
});
