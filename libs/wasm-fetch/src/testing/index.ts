/** Servers to fetch from, for tests. */
export * from './registry-server.js';
export * from './tar.js';
