import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Files for OpenSSL, the independent judge of what we make. */
export class OpensslFolder {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-ca-'));

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  file(name: string, text?: string): string {
    const file = path.join(this.folder, name);
    if (text !== undefined) fs.writeFileSync(file, text);
    return file;
  }

  /** A request by `openssl req`. @param key arguments of `-newkey` and `-pkeyopt` @param more arguments of `req` */
  request(
    key: readonly string[] = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    more: readonly string[] = [],
  ): string {
    const args = [
      'req',
      '-new',
      '-nodes',
      '-newkey',
      ...key,
      '-keyout',
      this.file('key.pem'),
      '-subj',
      '/O=x',
      ...more,
    ];
    return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  }

  /** `openssl x509 -text` of a certificate. */
  text(certificate: string): string {
    return execFileSync('openssl', ['x509', '-noout', '-text'], { input: certificate }).toString();
  }

  /** @returns what `openssl verify` says */
  verify(leaf: string, between: string, roots: string): string {
    const files = ['-CAfile', this.file('roots.pem', roots), '-untrusted', this.file('between.pem', between || roots)];
    const { stdout, stderr } = spawnSync('openssl', ['verify', '-x509_strict', ...files, this.file('leaf.pem', leaf)]);
    return `${stdout.toString()}${stderr.toString()}`.trim().replace(this.folder, '');
  }
}
