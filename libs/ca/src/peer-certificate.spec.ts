import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type CertificateContent, emptyName, keyId, signCertificate, spkiOf } from './certificate.js';
import { encodePem } from './pem.js';
import { verifyPeer } from './peer-certificate.js';
import { clockSkewMs, makeRoot, readSigner, type Signer } from './signer.js';

const now = Date.now();
const hour = 3_600_000;
const reviews = 'spiffe://td/ns/default/sa/reviews';
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let ours: Signer;
let others: Signer;
beforeAll(async () => {
  const signerOf = async (trustDomain: string) =>
    readSigner(await makeRoot({ trustDomain, now, lifetimeMs: 24 * hour }), now);
  ours = await signerOf('td');
  others = await signerOf('other');
});

function shown(change: Partial<CertificateContent> = {}, signer = ours): string {
  const spki = spkiOf(publicKey);
  const content = {
    subject: emptyName,
    issuer: signer.issuer,
    spki,
    notBefore: now - hour,
    notAfter: now + hour,
    uris: [reviews],
    rsa: false,
    issuerKeyId: keyId(spki),
    ...change,
  };
  return encodePem('CERTIFICATE', signCertificate(content, signer.key).der);
}

const bundles = () => new Map([['td', [ours.path.at(-1)!]]]);

describe('a peer', () => {
  it('is who its certificate says, when that is one of ours', () => {
    expect(verifyPeer([shown()], bundles(), now)).toEqual({
      spiffeId: reviews,
      id: { trustDomain: 'td', path: '/ns/default/sa/reviews' },
    });
  });

  it('is known by a chain, too, in any order', () => {
    const { publicKey: middleKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = spkiOf(middleKey);
    const middleName = others.issuer;
    const middle = shown({ subject: middleName, spki, uris: ['spiffe://td'], authority: { pathLength: 0 } });
    const leaf = shown({ issuer: middleName }, { ...ours, key: privateKey });
    expect(verifyPeer([leaf, others.path[0]!, middle], bundles(), now)).toMatchObject({ spiffeId: reviews });
    expect(verifyPeer([leaf], bundles(), now)).toEqual({ error: expect.stringMatching(/does not chain/) });
  });

  it.each<[string, Partial<CertificateContent>, RegExp]>([
    ['without a URI SAN', { uris: [] }, /has no URI SAN/],
    ['with two URI SANs', { uris: [reviews, 'spiffe://td/ns/default/sa/admin'] }, /has 2 URI SANs/],
    ['that may sign', { authority: { pathLength: undefined } }, /signs others/],
    ['of another trust domain', { uris: ['spiffe://other/ns/default/sa/reviews'] }, /other is not believed/],
    ['of a trust domain and no workload', { uris: ['spiffe://td'] }, /no workload/],
    ['with an ID that is not normal', { uris: ['spiffe://TD/ns/default/sa/reviews'] }, /lower-case/],
    ['with a NUL in its ID', { uris: ['spiffe://td/ns/default/sa/reviews\u0000.evil'] }, /letters, digits/],
    ['with a URI that is no SPIFFE ID', { uris: ['https://td/reviews'] }, /begins with spiffe/],
    ['that has expired', { notAfter: now - 1000 }, /not in force/],
    ['that is not in force yet', { notBefore: now + 60_000 }, /not in force/],
  ])('C-20 %s is refused', (_name, change, reason) => {
    expect(verifyPeer([shown(change)], bundles(), now)).toEqual({ error: expect.stringMatching(reason) });
  });

  it('C-20 with a certificate of another root that names us is refused', () => {
    expect(verifyPeer([shown({}, others)], bundles(), now)).toEqual({ error: expect.stringMatching(/does not chain/) });
    const both = bundles().set('other', [others.path[0]!]);
    expect(verifyPeer([shown({}, others)], both, now)).toEqual({ error: expect.stringMatching(/does not chain/) });
  });

  it.each([
    ['a minute behind', -60_000, 'taken'],
    ['a minute ahead', 60_000, 'taken'],
    ['an hour behind', -hour, 'not in force'],
    ['an hour ahead of one that lives for half of it', hour, 'not in force'],
  ])('C-14 whose judge’s clock is %s is %s', (_name, off, outcome) => {
    const fresh = shown({ notBefore: now - clockSkewMs, notAfter: now + hour / 2 });
    const verdict = verifyPeer([fresh], bundles(), now + off);
    expect('error' in verdict ? verdict.error : 'taken').toContain(outcome);
  });

  it.each([
    ['nothing', []],
    ['junk', ['hello']],
    ['a long chain', Array.from({ length: 11 }, () => 'x')],
  ])('that shows %s is refused', (_name, chain) => {
    expect(verifyPeer(chain, bundles(), now)).toEqual({ error: expect.any(String) });
  });

  it('is judged by the roots of today', () => {
    expect(verifyPeer([shown({ notAfter: now + 48 * hour })], bundles(), now + 25 * hour)).toEqual({
      error: expect.stringMatching(/does not chain/),
    });
  });
});
