/** The service graph in Redis, for several mixers. */
export * from './redis-graph-store.js';
