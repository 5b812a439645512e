/** What an Envoy is started with, and what it says of itself when it connects. */
export * from './app-ports.js';
export * from './bootstrap.js';
export * from './bootstrap-node.js';
export * from './bootstrap-options.js';
export { falseClaim } from './node-identity.js';
export * from './parse-node.js';
export * from './proxy-environment.js';
