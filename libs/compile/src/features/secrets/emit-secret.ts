import { Buffer } from 'node:buffer';
import { create } from '@bufbuild/protobuf';
import {
  type Secret as EnvoySecret,
  SecretSchema,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { readAuthority, readKeyPair, type Secret } from '@seine/k8s';
import type { SecretReference } from './secret-names.js';

/**
 * The SDS resource for a reference; undefined where the Secret has not what it takes.
 * @param secret the first that is there of those that `secretCandidates` names
 */
export function emitSecret(
  { name, part }: Pick<SecretReference, 'name' | 'part'>,
  secret: Secret,
): EnvoySecret | undefined {
  return part === 'authority' ? emitAuthority(name, secret) : emitCertificate(name, secret);
}

function emitCertificate(name: string, secret: Secret): EnvoySecret | undefined {
  const pair = readKeyPair(secret);
  if (!pair) return undefined;
  return create(SecretSchema, {
    name,
    type: {
      case: 'tlsCertificate',
      value: {
        certificateChain: inline(pair.certificate),
        privateKey: inline(pair.key),
        ...(pair.staple && { ocspStaple: inline(pair.staple) }),
      },
    },
  });
}

function emitAuthority(name: string, secret: Secret): EnvoySecret | undefined {
  const authority = readAuthority(secret);
  if (!authority) return undefined;
  return create(SecretSchema, {
    name,
    type: {
      case: 'validationContext',
      value: {
        trustedCa: inline(authority.certificates),
        ...(authority.revocations && { crl: inline(authority.revocations) }),
      },
    },
  });
}

function inline(bytes: Buffer) {
  return { specifier: { case: 'inlineBytes' as const, value: bytes } };
}
