import { createHash } from 'node:crypto';
import type { RedisArgument, RedisConnection } from './redis-connection.js';

/** A Lua script, and by what Redis knows it. */
export interface Script {
  readonly text: string;
  readonly hash: string;
}

export function script(text: string): Script {
  return { text, hash: createHash('sha1').update(text).digest('hex') };
}

/**
 * Runs a script; brings it along where Redis has not seen it since it started, or was told to forget it.
 * @throws (rejects) as `RedisConnection.call`
 */
export async function runScript(
  connection: Pick<RedisConnection, 'call'>,
  { hash, text }: Script,
  keys: readonly string[],
  args: readonly RedisArgument[],
): Promise<unknown> {
  const rest = [keys.length, ...keys, ...args];
  try {
    return await connection.call('EVALSHA', [hash, ...rest]);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await connection.call('EVAL', [text, ...rest]);
  }
}
