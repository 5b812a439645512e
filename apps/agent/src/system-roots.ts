import fs from 'node:fs';

/** Where systems keep the roots that they trust. */
const files = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

/** @returns the first of them that is there, else the usual one, so that a message can name it */
export function findSystemRoots(): string {
  return files.find((file) => fs.existsSync(file)) ?? files[0];
}
