/**
 * A service with an identity of the mesh: its certificate through its life, TLS endpoints that follow it without
 * dropping a connection, and who a peer is.
 */
export * from './authenticators.js';
export * from './citadel-client.js';
export * from './deny-list.js';
export * from './file-watcher.js';
export * from './server-credentials.js';
export * from './service-identity.js';
