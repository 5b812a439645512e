/** The mesh log in Redis, and who may write it. */
export * from './redis-lease.js';
export * from './redis-store.js';
