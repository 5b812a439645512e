import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { ClientTLSSettings, ServerTLSSettings } from '@seine/istio';
import type { Secret } from '@seine/k8s';
import { emitFileSecret, emitSecret } from './emit-secret.js';
import {
  parseFileSecret,
  parseSecretName,
  policySecretNames,
  secretCandidates,
  serverSecretNames,
} from './secret-names.js';

function secret(stringData: Readonly<Record<string, string>>): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' }, stringData };
}

describe('parseSecretName', () => {
  it.each([
    ['kubernetes://shop', { namespace: 'own', secret: 'shop', part: 'certificate', needsGrant: false }],
    ['kubernetes://shop-cacert', { namespace: 'own', secret: 'shop-cacert', part: 'authority', needsGrant: false }],
    ['kubernetes://ns/shop', { namespace: 'ns', secret: 'shop', part: 'certificate', needsGrant: false }],
    ['kubernetes-gateway://ns/shop', { namespace: 'ns', secret: 'shop', part: 'certificate', needsGrant: true }],
    ['kubernetes-gateway://shop', undefined],
    ['kubernetes://', undefined],
    ['kubernetes://a/b/c', undefined],
    ['kubernetes:///b', undefined],
    ['default', undefined],
    ['invalid://', undefined],
  ])('%s', (name, expected) => {
    expect(parseSecretName(name, 'own')).toEqual(expected && { ...expected, name });
  });

  it.each([
    ['kubernetes://shop', ['shop']],
    ['kubernetes://shop-cacert', ['shop-cacert', 'shop']],
  ])('looks up %s', (name, expected) => {
    expect(secretCandidates(parseSecretName(name, 'own')!)).toEqual(expected);
  });
});

describe('serverSecretNames', () => {
  it.each<[ServerTLSSettings, string[]]>([
    [{ mode: 'SIMPLE', credentialName: 'c' }, ['kubernetes://c']],
    [{ mode: 'MUTUAL', credentialName: 'c' }, ['kubernetes://c', 'kubernetes://c-cacert']],
    [
      { mode: 'OPTIONAL_MUTUAL', credentialNames: ['c', 'd'] },
      ['kubernetes://c', 'kubernetes://d', 'kubernetes://c-cacert'],
    ],
    [
      { mode: 'MUTUAL', credentialName: 'c', caCertCredentialName: 'x-cacert' },
      ['kubernetes://c', 'kubernetes://x-cacert'],
    ],
    [{ mode: 'PASSTHROUGH', credentialName: 'c' }, []],
    [{ mode: 'ISTIO_MUTUAL' }, []],
    [{ mode: 'SIMPLE', serverCertificate: '/c', privateKey: '/k' }, ['file-cert:/c~/k']],
    [
      { mode: 'MUTUAL', tlsCertificates: [{ serverCertificate: '/c', privateKey: '/k', caCertificates: '/a' }] },
      ['file-cert:/c~/k', 'file-root:/a'],
    ],
    [{ mode: 'MUTUAL', serverCertificate: '/c', privateKey: '/k' }, []],
    [{ mode: 'SIMPLE', serverCertificate: '/c' }, []],
    [{ mode: 'SIMPLE', serverCertificate: '/~me/c', privateKey: '/k' }, []],
    [{ mode: 'PASSTHROUGH', serverCertificate: '/c', privateKey: '/k' }, []],
  ])('%j', (tls, expected) => {
    expect(serverSecretNames(tls)).toEqual(expected);
  });
});

describe('files as secrets', () => {
  it.each([
    [
      'file-cert:/etc/certs/c.pem~/etc/keys/k.pem',
      {
        tls_certificate: {
          certificate_chain: { filename: '/etc/certs/c.pem' },
          private_key: { filename: '/etc/keys/k.pem' },
          watched_directory: { path: '/etc/certs' },
        },
      },
    ],
    [
      'file-root:/ca.pem',
      { validation_context: { trusted_ca: { filename: '/ca.pem' }, watched_directory: { path: '/' } } },
    ],
  ])('%s', (name, expected) => {
    const made = emitFileSecret(name, parseFileSecret(name)!);
    expect(toEnvoyJson(SecretSchema, made)).toEqual({ name, ...expected });
  });

  it.each(['file-cert:/c', 'file-cert:/c~/k~/x', 'file-cert:~/k', 'kubernetes://a'])('%s are none', (name) => {
    expect(parseFileSecret(name)).toBeUndefined();
  });
});

describe('policySecretNames', () => {
  it.each<[ClientTLSSettings, string[]]>([
    [{ mode: 'SIMPLE', credentialName: 'c' }, ['kubernetes://c-cacert']],
    [{ mode: 'MUTUAL', credentialName: 'c' }, ['kubernetes://c', 'kubernetes://c-cacert']],
    [{ mode: 'MUTUAL', credentialName: 'c', insecureSkipVerify: true }, ['kubernetes://c']],
    [{ mode: 'ISTIO_MUTUAL', credentialName: 'c' }, []],
    [{ mode: 'DISABLE', credentialName: 'c' }, []],
  ])('%j', (tls, expected) => {
    expect(policySecretNames({ tls })).toEqual(expected);
    expect(policySecretNames({ portLevelSettings: [{ port: { number: 80 }, tls }] })).toEqual(expected);
  });
});

describe('emitSecret', () => {
  const bytes = (text: string) => ({ inline_bytes: Buffer.from(text).toString('base64') });
  const pem = (text: string) => `-----BEGIN ${text}-----`;

  it.each([
    [
      'certificate',
      { 'tls.crt': pem('c'), 'tls.key': pem('k'), 'tls.ocsp-staple': 'o', 'ca.crt': pem('a') },
      {
        tls_certificate: { certificate_chain: bytes(pem('c')), private_key: bytes(pem('k')), ocsp_staple: bytes('o') },
      },
    ],
    [
      'authority',
      { 'ca.crt': pem('a'), 'ca.crl': 'r' },
      { validation_context: { trusted_ca: bytes(pem('a')), crl: bytes('r') } },
    ],
  ] as const)('%s', (part, values, expected) => {
    const made = emitSecret({ name: 'n', part }, secret(values));
    expect(made && toEnvoyJson(SecretSchema, made)).toEqual({ name: 'n', ...expected });
  });

  it.each([
    ['certificate', { 'ca.crt': 'a', 'tls.crt': 'c' }],
    ['authority', { 'tls.crt': 'c', 'tls.key': 'k' }],
    ['certificate', { cert: 'hush', key: 'secret' }],
    ['authority', { cacert: 'hush' }],
  ] as const)('has none where the Secret lacks the %s, or has words for it', (part, values) => {
    expect(emitSecret({ name: 'n', part }, secret(values))).toBeUndefined();
  });
});
