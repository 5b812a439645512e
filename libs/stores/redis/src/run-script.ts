import type { RedisArgument, RedisConnection } from '@seine/redis';
import type { Script } from './scripts.js';

/** Runs a script; brings it along where Redis does not know it. @throws as `RedisConnection.call` */
export async function runScript(
  connection: RedisConnection,
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
