import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const keyFile = 'key.pem';
const certificateFile = 'cert.pem';

/** Makes a key and a certificate in the folder, by openssl, for `e2e.example.com`. @returns both, PEM */
export function makeCertificate(folder: string): { key: Buffer; cert: Buffer } {
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const files = ['-keyout', path.join(folder, keyFile), '-out', path.join(folder, certificateFile)];
  const subject = ['-subj', '/CN=e2e', '-addext', 'subjectAltName=DNS:e2e.example.com'];
  execFileSync('openssl', [...request, ...subject, ...files], { stdio: 'pipe' });
  const [key, cert] = [keyFile, certificateFile].map((name) => fs.readFileSync(path.join(folder, name)));
  return { key: key!, cert: cert! };
}

/**
 * Configuration that expects keys and certificates below /etc of the proxy's disk, with those of `makeCertificate` in
 * their place: Envoy refuses a listener whose files are not there.
 */
export function withCertificates(text: string, folder: string): string {
  return text.replace(/\/etc\/[\w./-]+\.(pem|key|crt)\b/g, (file) =>
    path.join(folder, /key/.test(path.basename(file)) ? keyFile : certificateFile),
  );
}
