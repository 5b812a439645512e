import { lookup } from 'node:dns/promises';
import fs from 'node:fs';
import os from 'node:os';
import tls from 'node:tls';
import { parseDuration } from '@seine/istio';
import { addressRules, defaultRefreshMs, getDocument, JwksKeys, type JwksKeysOptions } from '@seine/jwks-fetch';
import { UsageError } from '@seine/nest';

/** How pilot fetches the keys of those who issue tokens. */
export interface JwksSettings {
  /** Address blocks that may be asked although they are refused by default (loopback, link-local, …). */
  readonly allow: readonly string[];
  /** Address blocks that may not be asked. */
  readonly block: readonly string[];
  /** PEM of authorities by which providers are known, besides those of Node.js. */
  readonly root?: string | undefined;
  /** Between two fetches of keys, ms. */
  readonly refreshMs: number;
}

export interface JwksFlags {
  readonly 'jwks-allow'?: readonly string[] | undefined;
  readonly 'jwks-block'?: readonly string[] | undefined;
  readonly 'jwks-root'?: string | undefined;
  readonly 'jwks-refresh'?: string | undefined;
}

export const jwksFlags = {
  'jwks-allow': { type: 'string', multiple: true },
  'jwks-block': { type: 'string', multiple: true },
  'jwks-root': { type: 'string' },
  'jwks-refresh': { type: 'string' },
} as const;

export const jwksUsage = `  --jwks-allow CIDR      keys may be fetched from there, although it is loopback, link-local or pilot's own address
                         (or $SEINE_JWKS_ALLOW, separated by commas)
  --jwks-block CIDR      no keys are fetched from there (or $BLOCKED_CIDRS_IN_JWKS_URIS, separated by commas)
  --jwks-root FILE       PEM of authorities that providers of keys are known by, besides the public ones
  --jwks-refresh TIME    between two fetches of keys, as 20m, which is the default (or
                         $PILOT_JWT_PUB_KEY_REFRESH_INTERVAL)`;

/** Keys are asked for no more often, ms. */
const shortestRefreshMs = 1000;

function refreshOf(text: string | undefined, name: string): number {
  if (text === undefined || text === '') return defaultRefreshMs;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds < shortestRefreshMs)
    throw new UsageError(`${name} takes a time as 20m, of at least 1s, not '${text}'`);
  return milliseconds;
}

function rootOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    const pem = fs.readFileSync(file, 'utf8');
    tls.createSecureContext({ ca: pem });
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (error) {
    throw new UsageError(`--jwks-root: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new UsageError(`--jwks-root: there is no certificate in ${file}`);
}

/**
 * The settings that flags give, and else the environment, under the names that istiod reads.
 * @throws UsageError
 */
export function jwksSettings(flags: JwksFlags, env: NodeJS.ProcessEnv): JwksSettings {
  const blocksOf = (variable: string): readonly string[] =>
    (env[variable] ?? '')
      .split(',')
      .map((block) => block.trim())
      .filter((text) => text !== '');
  const block = flags['jwks-block'] ?? blocksOf('BLOCKED_CIDRS_IN_JWKS_URIS');
  const allow = flags['jwks-allow'] ?? blocksOf('SEINE_JWKS_ALLOW');
  try {
    addressRules({ allow, block, own: () => [] });
  } catch (error) {
    const names = flags['jwks-block'] ? '--jwks-block' : 'BLOCKED_CIDRS_IN_JWKS_URIS';
    throw new UsageError(`--jwks-allow or ${names}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const refresh = flags['jwks-refresh'];
  const refreshMs =
    refresh === undefined
      ? refreshOf(env['PILOT_JWT_PUB_KEY_REFRESH_INTERVAL'], 'PILOT_JWT_PUB_KEY_REFRESH_INTERVAL')
      : refreshOf(refresh, '--jwks-refresh');
  return { allow, block, root: rootOf(flags['jwks-root']), refreshMs };
}

function ownAddresses(): readonly string[] {
  return Object.values(os.networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
}

/** Keys that are fetched over the network of this machine. */
export function jwksKeys(
  { allow, block, root, refreshMs }: JwksSettings,
  options: Pick<JwksKeysOptions, 'later' | 'onChange' | 'fetched'>,
): JwksKeys {
  const io = {
    resolve: (hostname: string) => lookup(hostname, { all: true }),
    refusal: addressRules({ allow, block, own: ownAddresses }),
    authorities: root === undefined ? undefined : [...tls.rootCertificates, root],
  };
  return new JwksKeys({
    ...options,
    getDocument: (url, timeoutMs) => getDocument(io, url, timeoutMs),
    now: Date.now,
    refreshMs,
  });
}
