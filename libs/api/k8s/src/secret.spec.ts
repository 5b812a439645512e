import { describe, expect, it } from '@jest/globals';
import { bankCertificate, bankKey, caCertificate, shopCertificate, shopKey } from '@seine/testing';
import { mayHoldCertificates, readAuthority, readKeyPair, type Secret, valueNames } from './secret.js';
import { secretErrors } from './secret-errors.js';

type Values = Readonly<Record<string, string>>;

function secret(stringData: Values, data: Values = {}, type = 'Opaque'): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' }, type, stringData, data };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const shop = { 'tls.crt': shopCertificate, 'tls.key': shopKey };

describe('readKeyPair', () => {
  it.each([
    ['the names of type kubernetes.io/tls', secret({}, { 'tls.crt': base64('c'), 'tls.key': base64('k') }), 'c', 'k'],
    ['generic names first', secret({ cert: 'gc', key: 'gk', 'tls.crt': 'c', 'tls.key': 'k' }), 'gc', 'gk'],
    ['a generic pair only when it is whole', secret({ cert: 'gc', 'tls.crt': 'c', 'tls.key': 'k' }), 'c', 'k'],
    [
      'stringData before data',
      secret({ 'tls.crt': 'new' }, { 'tls.crt': base64('old'), 'tls.key': base64('k') }),
      'new',
      'k',
    ],
  ])('takes %s', (_what, from, certificate, key) => {
    const pair = readKeyPair(from);
    expect([pair?.certificate.toString(), pair?.key.toString()]).toEqual([certificate, key]);
  });

  it.each([
    ['nothing', secret({})],
    ['no key', secret({ 'tls.crt': 'c' })],
    ['an empty key', secret({ 'tls.crt': 'c', 'tls.key': '' })],
  ])('has none where there is %s', (_what, from) => {
    expect(readKeyPair(from)).toBeUndefined();
  });

  it('brings the OCSP response along', () => {
    expect(readKeyPair(secret({ ...shop, 'tls.ocsp-staple': 'o' }))?.staple?.toString()).toBe('o');
  });
});

describe('readAuthority', () => {
  it.each([
    [secret({ 'ca.crt': 'c', 'ca.crl': 'r' }), 'c', 'r'],
    [secret({ cacert: 'g', crl: 's', 'ca.crt': 'c' }), 'g', 's'],
    [secret({ 'ca.crt': 'c' }), 'c', undefined],
  ])('%#', (from, certificates, revocations) => {
    const found = readAuthority(from);
    expect([found?.certificates.toString(), found?.revocations?.toString()]).toEqual([certificates, revocations]);
  });
});

describe('secretErrors', () => {
  const tls = 'kubernetes.io/tls';

  it.each<[string, Secret, string[]]>([
    ['a good pair', secret(shop, {}, tls), []],
    ['a chain', secret({ ...shop, 'tls.crt': shopCertificate + caCertificate, 'ca.crt': caCertificate }), []],
    ['a key of another certificate', secret({ ...shop, 'tls.key': bankKey }), ['stringData["tls.key"]']],
    ['no certificate', secret({ ...shop, 'tls.crt': 'banana' }), ['stringData["tls.crt"]']],
    ['no key', secret({ ...shop, 'tls.key': 'banana' }), ['stringData["tls.key"]']],
    [
      'a broken block',
      secret({ ...shop, 'tls.crt': shopCertificate.replace('MII', 'MIX') }),
      ['stringData["tls.crt"]'],
    ],
    ['a value that is missing', secret({ 'tls.crt': shopCertificate }, {}, tls), ['data["tls.key"]']],
    ['half a pair of another type', secret({ 'tls.crt': shopCertificate }), []],
    ['a CA that is none', secret({ 'ca.crt': 'banana' }), ['stringData["ca.crt"]']],
    ['a CRL that is none', secret({ 'ca.crt': caCertificate, 'ca.crl': 'x' }), ['stringData["ca.crl"]']],
    ['generic names with PEM', secret({ cert: bankCertificate, key: shopKey }), ['stringData["key"]']],
    ['generic names of something else', secret({ cert: 'banana', key: 'apple' }), []],
    ['no base64', secret({}, { password: 'not base64!' }), ['data["password"]']],
    ['wrapped base64', secret({}, { a: `${base64('abc')}\n  ${base64('def')}\n` }), []],
    ["a Secret of Helm's", secret({ 'tls.crt': 'x', 'tls.key': 'y' }, {}, 'helm.sh/release.v1'), []],
  ])('%s', (_what, from, paths) => {
    expect(secretErrors(from).map(({ path }) => path)).toEqual(paths);
  });

  it('never repeats a value', () => {
    const values = { 'tls.crt': 'banana-crt', 'tls.key': 'banana-key', 'ca.crt': 'banana-ca' };
    const found = [...secretErrors(secret(values)), ...secretErrors(secret({}, { 'tls.key': 'banana!' }))];
    expect(found).toHaveLength(4);
    expect(JSON.stringify(found)).not.toContain('banana');
  });
});

describe('Secrets', () => {
  it.each([
    ['Opaque', true],
    ['kubernetes.io/service-account-token', false],
  ])('of type %s may hold certificates: %s', (type, expected) => {
    expect(mayHoldCertificates(secret({}, {}, type))).toBe(expected);
  });

  it('tell the names of their values', () => {
    expect(valueNames(secret({ b: '1', a: '2' }, { a: '', c: '' }))).toEqual(['a', 'b', 'c']);
  });
});
