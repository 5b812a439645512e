/** Counts of rate limits and quotas in Redis, shared by all who count there. */
export * from './make-counters.js';
export * from './redis-counters.js';
