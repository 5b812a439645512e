import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { JoinGrant, JoinGrants } from '@seine/ca';
import { replaceFile } from './versioned-file.js';

/** Grants as files of a folder, named by the hash of their token: each is used up by one citadel of those that share it. */
export class JoinGrantFiles implements JoinGrants {
  readonly #folder: string;

  constructor(stateDir: string) {
    this.#folder = path.join(stateDir, 'join');
  }

  put(hash: string, grant: JoinGrant): void {
    fs.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(this.#file(hash), `${JSON.stringify(grant)}\n`, 0o600);
  }

  take(hash: string): JoinGrant | undefined {
    const mine = path.join(this.#folder, `.${randomBytes(8).toString('hex')}`);
    try {
      // Of several that take it, renaming succeeds for one.
      fs.renameSync(this.#file(hash), mine);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return JSON.parse(fs.readFileSync(mine, 'utf8')) as JoinGrant;
    } finally {
      fs.rmSync(mine, { force: true });
    }
  }

  /** Drops those that have ended. */
  tidy(now: number): void {
    for (const name of fs.existsSync(this.#folder) ? fs.readdirSync(this.#folder) : []) {
      const hash = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
      if (hash === undefined) continue;
      const grant = JSON.parse(fs.readFileSync(this.#file(hash), 'utf8')) as JoinGrant;
      if (grant.expiresAt <= now) fs.rmSync(this.#file(hash), { force: true });
    }
  }

  #file(hash: string): string {
    return path.join(this.#folder, `${hash}.json`);
  }
}
