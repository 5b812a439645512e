import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Under this name in the state directory. */
export const adminTokenName = 'admin.token';

/**
 * What proves that somebody may change the authority: a secret in a file that only citadel's own user can read. Made at
 * the first start; of several citadels on one directory the first makes it.
 */
export class AdminToken {
  private constructor(private readonly token: string) {}

  /** @throws Error when the file cannot be read or made, or others can read it */
  static open(stateDir: string): AdminToken {
    const file = path.join(stateDir, adminTokenName);
    if (!fs.existsSync(file)) make(stateDir, file);
    const { mode } = fs.statSync(file);
    if ((mode & 0o077) !== 0)
      throw new Error(`${file} has mode ${(mode & 0o777).toString(8)}: others can read it; 600 is right`);
    const token = fs.readFileSync(file, 'utf8').trim();
    if (token.length < 32) throw new Error(`${file} holds no token`);
    return new AdminToken(token);
  }

  matches(shown: string): boolean {
    return timingSafeEqual(hash(shown), hash(this.token));
  }
}

function make(stateDir: string, file: string): void {
  const mine = path.join(stateDir, `.${adminTokenName}-${randomBytes(8).toString('hex')}`);
  try {
    fs.writeFileSync(mine, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    fs.linkSync(mine, file);
  } catch (error) {
    // Another citadel has made it in between.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
