import fs from 'node:fs';
import path from 'node:path';
import { makeRoot, type SigningFiles } from '@seine/ca';

/** Istio's names for what a CA signs with (secret `cacerts`). */
const names = {
  certificate: 'ca-cert.pem',
  key: 'ca-key.pem',
  chain: 'cert-chain.pem',
  roots: 'root-cert.pem',
} as const satisfies Readonly<Record<keyof SigningFiles, string>>;

const generation = 'ca';

function readFiles(folder: string): SigningFiles {
  const read = (name: string, fallback?: string): string => {
    try {
      return fs.readFileSync(path.join(folder, name), 'utf8');
    } catch (error) {
      if (fallback !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return fallback;
      throw error;
    }
  };
  return {
    certificate: read(names.certificate),
    key: read(names.key),
    chain: read(names.chain, ''),
    roots: read(names.roots),
  };
}

/** Writes all files to a folder that nobody else can read, whole or not at all. */
function writeFiles(folder: string, files: SigningFiles): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [field, name] of Object.entries(names)) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, files[field as keyof SigningFiles], { mode: 0o600, flag: 'wx' });
  }
}

/**
 * What a CA that was given nothing signs with: a root of its own, made at the first start and kept, with mode 0600, in
 * the state directory. Of several citadels that start together on one directory the first to finish makes it.
 */
export class SigningDirectory {
  constructor(private readonly state: string) {}

  async open(trustDomain: string, now: number, lifetimeMs: number): Promise<SigningFiles> {
    const folder = path.join(this.state, generation);
    if (!fs.existsSync(folder)) await this.#make(folder, trustDomain, now, lifetimeMs);
    return readFiles(folder);
  }

  async #make(folder: string, trustDomain: string, now: number, lifetimeMs: number): Promise<void> {
    fs.mkdirSync(this.state, { recursive: true, mode: 0o700 });
    const mine = fs.mkdtempSync(path.join(this.state, 'new-'));
    try {
      writeFiles(mine, await makeRoot({ trustDomain, now, lifetimeMs }));
      // Renaming onto a folder that is not empty fails: then another citadel was first, and its root is ours.
      fs.renameSync(mine, folder);
    } catch (error) {
      fs.rmSync(mine, { recursive: true, force: true });
      if (!fs.existsSync(folder)) throw error;
    }
  }
}

/** What a user plugs in: Istio's files in a folder, as the secret `cacerts` is mounted. */
export function readPluggedIn(folder: string): SigningFiles {
  return readFiles(folder);
}
