import { Buffer } from 'node:buffer';
import { create } from '@bufbuild/protobuf';
import {
  type Secret as EnvoySecret,
  SecretSchema,
} from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { isPem, readAuthority, readKeyPair, type Secret } from '@seine/k8s';
import type { Fragment } from '../../frame/clusters-fragment.js';
import type { FileSecret, SecretReference } from './secret-names.js';

/**
 * The SDS resource for a reference; undefined where the Secret has not what it takes: Envoy would refuse what is no PEM.
 * @param secret the first that is there of those that `secretCandidates` names
 */
export function emitSecret(
  { name, part }: Pick<SecretReference, 'name' | 'part'>,
  secret: Secret,
): EnvoySecret | undefined {
  return part === 'authority' ? emitAuthority(name, secret) : emitCertificate(name, secret);
}

/**
 * The SDS resource for files of the proxy's disk. It reads them when they are put in place (a rename, as mounted Secrets
 * are changed), certificate and key together.
 */
export function emitFileSecret(name: string, files: FileSecret): EnvoySecret {
  const type: Fragment<typeof SecretSchema>['type'] =
    'authority' in files
      ? {
          case: 'validationContext',
          value: { trustedCa: file(files.authority), watchedDirectory: directoryOf(files.authority) },
        }
      : {
          case: 'tlsCertificate',
          value: {
            certificateChain: file(files.certificate),
            privateKey: file(files.key),
            watchedDirectory: directoryOf(files.certificate),
          },
        };
  return create(SecretSchema, { name, type });
}

function file(filename: string) {
  return { specifier: { case: 'filename' as const, value: filename } };
}

function directoryOf(filename: string) {
  return { path: filename.slice(0, filename.lastIndexOf('/')) || '/' };
}

function emitCertificate(name: string, secret: Secret): EnvoySecret | undefined {
  const pair = readKeyPair(secret);
  if (!pair || !isPem(pair.certificate) || !isPem(pair.key)) return undefined;
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
  if (!authority || !isPem(authority.certificates)) return undefined;
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
