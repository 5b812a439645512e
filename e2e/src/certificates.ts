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

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** An authority of a test's own, whose certificates nothing else trusts. */
export class TestAuthority {
  readonly #folder: string;
  #issued = 0;

  /** @param folder where openssl keeps its files; one authority a folder */
  constructor(folder: string) {
    fs.mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#run('ca', 'authority', 'basicConstraints=critical,CA:TRUE');
  }

  /** What its certificates are verified with, PEM. */
  get certificate(): Buffer {
    return fs.readFileSync(this.#file('ca.pem'));
  }

  /** A certificate for these DNS names (of a client, whatever they are), with its key; PEM. */
  issue(...names: readonly string[]): Certificate {
    const file = `leaf-${this.#issued++}`;
    const alternatives = names.map((name) => `DNS:${name}`).join(',');
    const from = ['-CA', this.#file('ca.pem'), '-CAkey', this.#file('ca.key')];
    this.#run(
      file,
      names[0] ?? file,
      'basicConstraints=critical,CA:FALSE',
      ...from,
      '-addext',
      `subjectAltName=${alternatives}`,
    );
    return { key: fs.readFileSync(this.#file(`${file}.key`)), cert: fs.readFileSync(this.#file(`${file}.pem`)) };
  }

  #run(file: string, name: string, constraints: string, ...more: readonly string[]): void {
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const files = ['-keyout', this.#file(`${file}.key`), '-out', this.#file(`${file}.pem`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', constraints];
    execFileSync('openssl', [...request, ...subject, ...files, ...more], { stdio: 'pipe' });
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }
}
