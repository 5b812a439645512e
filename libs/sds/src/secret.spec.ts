import { beforeAll, describe, expect, it } from '@jest/globals';
import { makeRoot, type TrustBundles } from '@seine/ca';
import { fromBinary } from '@bufbuild/protobuf';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { bundlesSecret, certificateSecret, readBundlesSecret, rootSecret } from './secret.js';

let own: string;
let foreign: string;

beforeAll(async () => {
  const root = async (trustDomain: string) =>
    (await makeRoot({ trustDomain, now: Date.parse('2030-01-01T00:00:00Z'), lifetimeMs: 1e9 })).certificate;
  [own, foreign] = [await root('own'), await root('foreign')];
});

describe('bundlesSecret', () => {
  it.each<[string, () => TrustBundles]>([
    ['one trust domain', () => new Map([['own', [own, foreign]]])],
    ['several trust domains, each by itself', () => new Map(Object.entries({ own: [own], foreign: [foreign] }))],
  ])('has the roots of %s, for workloads only', (_what, given) => {
    const bundles = given();
    const { value } = bundlesSecret('ROOTCA', bundles).resource;
    const { type } = fromBinary(SecretSchema, value);
    if (type.case !== 'validationContext') throw new Error('no validation context');
    expect(type.value.trustedCa).toBeUndefined();
    expect(type.value.customValidatorConfig?.name).toBe('envoy.tls.cert_validator.spiffe');
    expect(readBundlesSecret(value, 'own')).toEqual({ bundles });
  });
});

describe('readBundlesSecret', () => {
  it('takes roots that name no trust domain for its own', () => {
    const { value } = rootSecret('ROOTCA', own).resource;
    expect(readBundlesSecret(value, 'own')).toEqual({ bundles: new Map([['own', [own]]]) });
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    ['junk', () => Buffer.from('junk'), /cannot be read/],
    ['a certificate', () => certificateSecret('x', own, own).resource.value, /no validation context/],
    ['roots that are none', () => rootSecret('ROOTCA', 'junk').resource.value, /of own holds no certificate/],
  ])('refuses %s', (_what, value, reason) => {
    expect(readBundlesSecret(value(), 'own')).toEqual({ error: expect.stringMatching(reason) });
  });
});
