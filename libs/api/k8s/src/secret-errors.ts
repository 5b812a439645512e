import { Buffer } from 'node:buffer';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from './object.js';
import { isPem, mayHoldCertificates, type Secret, secretKeys, secretValue } from './secret.js';

/** Nothing here may repeat a value, nor what a parser says of one: it might hold a part of it. */
function error(secret: Secret, key: string, message: string): Diagnostic {
  const field = secret.stringData?.[key] === undefined ? 'data' : 'stringData';
  return { severity: 'error', code: 'SEINE-SECRET', message, path: `${field}[${JSON.stringify(key)}]` };
}

function isBase64(text: string): boolean {
  const value = text.replace(/\s/g, '');
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function encodingErrors(secret: Secret): readonly Diagnostic[] {
  return Object.entries(secret.data ?? {})
    .filter(([, value]) => !isBase64(value))
    .map(([key]) => error(secret, key, 'The value is not base64; plain text belongs in stringData.'));
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text; undefined where there is none, or one of them cannot be read. */
function certificatesIn(pem: Buffer): readonly [X509Certificate, ...X509Certificate[]] | undefined {
  try {
    const [first, ...others] = (pem.toString('latin1').match(certificateBlock) ?? []).map(
      (b) => new X509Certificate(b),
    );
    return first && [first, ...others];
  } catch {
    return undefined;
  }
}

function keyIn(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function keyPairErrors(secret: Secret, names: { readonly certificate: string; readonly key: string }): Diagnostic[] {
  const [certificate, key] = [secretValue(secret, names.certificate), secretValue(secret, names.key)];
  if (!certificate || !key) return [];
  const found: Diagnostic[] = [];
  const chain = certificatesIn(certificate);
  if (!chain)
    found.push(
      error(secret, names.certificate, 'No X.509 certificate can be read from it; it should be PEM, the leaf first.'),
    );
  const readKey = keyIn(key);
  if (!readKey)
    found.push(error(secret, names.key, 'No private key can be read from it; it should be PEM and not encrypted.'));
  if (chain && readKey && !chain[0].checkPrivateKey(readKey))
    found.push(error(secret, names.key, `The key does not belong to the first certificate of ${names.certificate}.`));
  return found;
}

function authorityErrors(
  secret: Secret,
  names: { readonly authority: string; readonly revocations: string },
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const authority = secretValue(secret, names.authority);
  if (authority && !certificatesIn(authority))
    found.push(error(secret, names.authority, 'No X.509 certificate can be read from it; it should be PEM.'));
  const revocations = secretValue(secret, names.revocations);
  if (authority && revocations && !revocations.includes('-----BEGIN X509 CRL-----'))
    found.push(error(secret, names.revocations, 'It holds no certificate revocation list; it should be PEM.'));
  return found;
}

/** Other programs may call anything `key` or `cert`: those names count only where the values look like PEM. */
function hasGenericPem(secret: Secret): boolean {
  const { certificate, key, authority } = secretKeys.generic;
  return [certificate, key, authority].some((name) => isPem(secretValue(secret, name)));
}

/** A Secret of this type has to have both, as the API server demands. */
function missingValues(secret: Secret): readonly Diagnostic[] {
  if (secret.type !== 'kubernetes.io/tls') return [];
  const { certificate, key } = secretKeys.tls;
  return [certificate, key]
    .filter((name) => !secretValue(secret, name))
    .map((name) => error(secret, name, `A Secret of type kubernetes.io/tls must have the value ${name}.`));
}

/** What is wrong with the certificates and keys of a Secret. No message holds any value. */
export function secretErrors(object: ConfigObject): readonly Diagnostic[] {
  const secret = object as Secret;
  const encoding = encodingErrors(secret);
  if (encoding.length > 0 || !mayHoldCertificates(object)) return encoding;
  const sets = hasGenericPem(secret) ? [secretKeys.generic, secretKeys.tls] : [secretKeys.tls];
  return [
    ...missingValues(secret),
    ...sets.flatMap((names) => [...keyPairErrors(secret, names), ...authorityErrors(secret, names)]),
  ];
}
