import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * A folder in the user's cache, made when it is not there yet: whole, or not at all.
 * @param names where in the cache
 * @param make fills the folder that it is given
 * @throws (rejects) what `make` throws, unless another run was first
 */
export async function inUserCache(names: readonly string[], make: (folder: string) => Promise<void>): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache');
  const folder = path.join(cache, 'seine', ...names);
  if (fs.existsSync(folder)) return folder;
  const mine = `${folder}.${randomBytes(6).toString('hex')}`;
  try {
    await make(mine);
    fs.renameSync(mine, folder);
  } catch (error) {
    // Another run may have been first.
    if (!fs.existsSync(folder)) throw error;
  } finally {
    fs.rmSync(mine, { recursive: true, force: true });
  }
  return folder;
}
