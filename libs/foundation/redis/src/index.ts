/**
 * A connection to Redis that answers soon or not at all: short time-outs, a circuit, a bound on what is under way.
 */
export * from './redis-connection.js';
export * from './redis-flags.js';
export type { RedisOptions } from './redis-options.js';
export * from './redis-url.js';
export * from './run-script.js';
