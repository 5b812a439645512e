/** gRPC streams of raw messages on HTTP/2 of our own, straight on sockets: the transport of the xDS server. */
export { ErrorCode, Http2Error } from './frames.js';
export type { ConnectionLimits } from './limits.js';
export * from './server.js';
export * from './status.js';
export * from './stream.js';
export * from './unary.js';
