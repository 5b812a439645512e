/**
 * A service with an identity of the mesh: its certificate through its life, TLS endpoints that follow it without
 * dropping a connection, and who a peer is.
 *
 *   ServiceIdentity ─ material ─► TlsServer (bare sockets) · RotatingServerCredentials, channelCredentials (grpc-js)
 *                  └─ bundles ──► judgePeer
 */
export * from './authenticators.js';
export * from './channel-credentials.js';
export * from './citadel-channel.js';
export * from './citadel-client.js';
export * from './clock-hint.js';
export * from './denial-feed.js';
export * from './deny-list.js';
export * from './file-watcher.js';
export * from './peer.js';
export * from './provider-keys.js';
export * from './server-credentials.js';
export * from './service-arguments.js';
export * from './service-identity.js';
export * from './tls-server.js';
