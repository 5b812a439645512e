import type { Hit, Verdict } from '@seine/rate-limit';
import { parseRedisUrl, RedisConnection, type RedisEvents, type RedisOptions } from '@seine/redis';
import { RedisCounters, type RedisCountersOptions } from './redis-counters.js';

/** Counts in Redis, and how their connection does. */
export interface CountersInRedis {
  /** As `Counters` has it. */
  readonly count: (hits: readonly Hit[], now: number) => Promise<readonly Verdict[]>;
  readonly connection: RedisConnection;
  readonly close: () => void;
}

export interface MakeCountersOptions extends Omit<RedisOptions, 'address'>, RedisCountersOptions, RedisEvents {
  /** `redis://host:6379`, `rediss://…`, `redis+sentinel://…`, or as Mixer's redisquota had it, `host:6379`. */
  readonly url: string;
}

/**
 * Connects to a Redis and counts there. Returns at once; until Redis is reached, `count` rejects.
 * @throws RedisUrlError
 */
export function redisCounters({ url, ...options }: MakeCountersOptions): CountersInRedis {
  return countersAt({ ...options, address: parseRedisUrl(url) }, options, options);
}

/** The same for options that a command line gave. */
export function countersAt(
  options: RedisOptions,
  counters: RedisCountersOptions = {},
  events: RedisEvents = {},
): CountersInRedis {
  const connection = new RedisConnection(options, events);
  connection.start();
  const counts = new RedisCounters(connection, counters);
  return {
    connection,
    count: (hits, now) => counts.count(hits, now),
    close: () => connection.close(),
  };
}
