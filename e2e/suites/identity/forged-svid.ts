import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Certificate } from '../../src/index.js';

export interface Forgery {
  /** URI names, as many as there are to be. */
  readonly uris: readonly string[];
  /** openssl's `extension=value` lines beside the names; default those of a leaf. */
  readonly extensions?: readonly string[];
}

const leaf = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];

/**
 * A certificate as no authority should issue it, made by openssl.
 * @param authority folder with `ca-cert.pem` and `ca-key.pem`, with which it is signed; absent = by itself
 */
export function forgedSvid({ uris, extensions = leaf }: Forgery, authority?: string): Certificate {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-forged-'));
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name)) as [string, string];
    const names = uris.length === 0 ? 'DNS:nobody' : uris.map((uri) => `URI:${uri}`).join(',');
    const added = [...extensions, `subjectAltName=${names}`].flatMap((line) => ['-addext', line]);
    const from = authority
      ? ['-CA', path.join(authority, 'ca-cert.pem'), '-CAkey', path.join(authority, 'ca-key.pem')]
      : [];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const args = [...request, '-subj', '/CN=forged', '-keyout', key, '-out', cert, ...from, ...added];
    execFileSync('openssl', args, { stdio: 'pipe' });
    return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
