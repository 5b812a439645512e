import { createHash } from 'node:crypto';
import type { TrustBundles } from '@seine/ca';
import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { type Any, anyIs, AnySchema } from '@bufbuild/protobuf/wkt';
import type { DataSource } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { encodeResource, TypeUrl } from '@seine/envoy/resource';
import { SPIFFECertValidatorConfigSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb.js';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { readTrustedRoots } from './trusted-roots.js';

/** A secret as Envoys get it. */
export interface SecretResource {
  readonly name: string;
  /** A hash of the content: equal secrets have equal versions, also after a restart. */
  readonly version: string;
  readonly resource: Any;
}

/** The names that Istio gives to a workload's own certificate, and to what it judges others by. */
export const workloadSecretName = 'default';
export const rootSecretName = 'ROOTCA';
/**
 * The roots of the own trust domain alone, as Envoy's own validator takes them: that one can let in who shows no
 * certificate, for a filter to turn away, which the SPIFFE validator never does.
 */
export const ownRootSecretName = 'ROOTCA-OWN';

function pack(init: MessageInitShape<typeof SecretSchema> & { readonly name: string }): SecretResource {
  const value = encodeResource(SecretSchema, create(SecretSchema, init));
  return {
    name: init.name,
    version: createHash('sha256').update(value).digest('hex').slice(0, 16),
    resource: create(AnySchema, { typeUrl: TypeUrl.secret, value }),
  };
}

function inline(text: string) {
  return { specifier: { case: 'inlineBytes' as const, value: Buffer.from(text) } };
}

/** @param chain PEM, the leaf first @param key PEM */
export function certificateSecret(name: string, chain: string, key: string): SecretResource {
  const value = { certificateChain: inline(chain), privateKey: inline(key) };
  return pack({ name, type: { case: 'tlsCertificate', value } });
}

/** @param roots PEM */
export function rootSecret(name: string, roots: string): SecretResource {
  return pack({ name, type: { case: 'validationContext', value: { trustedCa: inline(roots) } } });
}

/**
 * What a workload judges others by: Envoy's SPIFFE validator with the roots of each trust domain. In one heap, a root of the
 * one could sign identities of the other; and by roots alone, Envoy takes an authority's certificate for a workload's.
 * Names that a context demands (`match_typed_subject_alt_names`) hold with it.
 * @param bundles in the order in which they are written
 */
export function bundlesSecret(name: string, bundles: TrustBundles): SecretResource {
  const trustDomains = [...bundles].map(([domain, roots]) => ({ name: domain, trustBundle: inline(roots.join('')) }));
  const validator = create(SPIFFECertValidatorConfigSchema, { trustDomains });
  const typedConfig = create(AnySchema, {
    typeUrl: `type.googleapis.com/${SPIFFECertValidatorConfigSchema.typeName}`,
    value: encodeResource(SPIFFECertValidatorConfigSchema, validator),
  });
  const customValidatorConfig = { name: 'envoy.tls.cert_validator.spiffe', typedConfig };
  return pack({ name, type: { case: 'validationContext', value: { customValidatorConfig } } });
}

/**
 * Reads what `bundlesSecret` writes.
 * @param own the trust domain of roots that name none
 * @returns the roots of each trust domain, or what is wrong
 */
export function readBundlesSecret(
  value: Uint8Array,
  own: string,
): { readonly bundles: TrustBundles } | { readonly error: string } {
  try {
    const { type } = fromBinary(SecretSchema, value);
    if (type.case !== 'validationContext') return { error: 'is no validation context' };
    const { trustedCa, customValidatorConfig } = type.value;
    if (trustedCa) return readDomains([[own, trustedCa]]);
    const config = customValidatorConfig?.typedConfig;
    if (!config || !anyIs(config, SPIFFECertValidatorConfigSchema)) return { error: 'has no roots' };
    const { trustDomains } = fromBinary(SPIFFECertValidatorConfigSchema, config.value);
    return readDomains(trustDomains.map(({ name, trustBundle }) => [name, trustBundle]));
  } catch (error) {
    return { error: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readDomains(
  sources: readonly (readonly [string, DataSource | undefined])[],
): { readonly bundles: TrustBundles } | { readonly error: string } {
  const bundles = new Map<string, readonly string[]>();
  for (const [domain, source] of sources) {
    const { specifier } = source ?? {};
    const text =
      specifier?.case === 'inlineBytes'
        ? Buffer.from(specifier.value).toString()
        : specifier?.case === 'inlineString'
          ? specifier.value
          : '';
    const read = readTrustedRoots(text);
    if ('error' in read) return { error: `of ${domain} ${read.error}` };
    bundles.set(domain, read.roots);
  }
  return { bundles };
}
