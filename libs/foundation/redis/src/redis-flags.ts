import path from 'node:path';
import { UsageError } from '@seine/nest';
import type { RedisOptions } from './redis-options.js';
import { parseRedisUrl, redisUrlForms, RedisUrlError } from './redis-url.js';

/** Flags of every service that keeps something in Redis. */
export const redisFlags = {
  redis: { type: 'string' },
  'redis-user': { type: 'string' },
  'redis-password-file': { type: 'string' },
  'redis-sentinel-password-file': { type: 'string' },
  'redis-ca': { type: 'string' },
  'redis-cert': { type: 'string' },
  'redis-key': { type: 'string' },
  'redis-timeout': { type: 'string' },
} as const;

export type RedisFlagValues = { readonly [name in keyof typeof redisFlags]?: string | undefined };

export const redisUsage = `  --redis URL               ${redisUrlForms}
  --redis-user NAME         its ACL user (default: that of the URL, or Redis' own)
  --redis-password-file FILE  holds the password; read again for each connection
  --redis-sentinel-password-file FILE  holds the Sentinels' password
  --redis-ca FILE           PEM, by which Redis is known (rediss://; default: the system's)
  --redis-cert FILE, --redis-key FILE  PEM, what is shown to Redis
  --redis-timeout MS        how long Redis is waited for (default 20)`;

/** @returns undefined where no Redis is named @throws UsageError */
export function readRedisArguments(values: RedisFlagValues): RedisOptions | undefined {
  const given = Object.keys(redisFlags).filter((name) => values[name as keyof RedisFlagValues] !== undefined);
  if (values.redis === undefined) {
    if (given.length > 0) throw new UsageError(`--${given[0] ?? ''} needs --redis: where is it?`);
    return undefined;
  }
  const address = addressOf(values.redis);
  if (address.password !== undefined)
    throw new UsageError('--redis: others see the command line; give the password by --redis-password-file');
  const { 'redis-ca': caFile, 'redis-cert': certFile, 'redis-key': keyFile, 'redis-timeout': timeout = '20' } = values;
  if (!address.tls && (caFile ?? certFile ?? keyFile) !== undefined)
    throw new UsageError('--redis-ca, --redis-cert and --redis-key are for TLS: --redis rediss://…');
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError('--redis-cert and --redis-key go together');
  const timeoutMs = Number(timeout);
  if (!(timeoutMs > 0) || timeoutMs > 60_000)
    throw new UsageError(`--redis-timeout takes milliseconds, up to 60000, not '${timeout}'`);
  return {
    address,
    user: values['redis-user'],
    passwordFile: fileOf(values['redis-password-file']),
    sentinelPasswordFile: fileOf(values['redis-sentinel-password-file']),
    caFile: fileOf(caFile),
    certFile: fileOf(certFile),
    keyFile: fileOf(keyFile),
    timeoutMs,
  };
}

function addressOf(url: string): RedisOptions['address'] {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    if (error instanceof RedisUrlError) throw new UsageError(`--redis: ${error.message}`);
    throw error;
  }
}

function fileOf(name: string | undefined): string | undefined {
  return name === undefined ? undefined : path.resolve(name);
}
