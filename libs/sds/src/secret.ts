import { createHash } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { encodeResource, TypeUrl } from '@seine/envoy';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';

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
