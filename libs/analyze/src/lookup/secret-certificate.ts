import { X509Certificate } from 'node:crypto';
import { type ConfigObject, fieldsOf, textOf } from '@seine/k8s';

/** The pairs of keys under which a Secret may hold a certificate and its private key. */
const pairs = [
  ['cert', 'key'],
  ['tls.crt', 'tls.key'],
] as const;

function valueOf(secret: ConfigObject, key: string): string {
  const plain = textOf(fieldsOf(secret['stringData'])[key]);
  return plain || Buffer.from(textOf(fieldsOf(secret['data'])[key]), 'base64').toString('utf8');
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // Whatever the reason, there is nothing that a server could present.
    return undefined;
  }
}

/**
 * Why a Secret holds no certificate that a gateway could present; undefined when it does.
 * @param now milliseconds since 1970; without, dates are not looked at
 */
export function secretProblem(secret: ConfigObject, now: number | undefined): string | undefined {
  const pair = pairs.find((keys) => keys.every((key) => valueOf(secret, key) !== ''));
  if (!pair) return 'the Secret needs tls.crt and tls.key';
  const certificate = parseCertificate(valueOf(secret, pair[0]));
  if (!certificate) return `${pair[0]} is no PEM certificate`;
  if (now === undefined) return undefined;
  if (now > Date.parse(certificate.validTo)) return `the certificate has expired on ${certificate.validTo}`;
  if (now < Date.parse(certificate.validFrom)) return `the certificate is not valid before ${certificate.validFrom}`;
  return undefined;
}
