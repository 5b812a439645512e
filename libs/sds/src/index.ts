/**
 * The core of the agent: certificates obtained and renewed in time, and the secret discovery protocol by which Envoys
 * get them. No sockets, no files, no clock of its own.
 */
export * from './backoff.js';
export * from './file-secrets.js';
export * from './sds-stream.js';
export * from './secret.js';
export * from './secret-discovery-service.js';
export * from './secret-source.js';
export * from './trusted-roots.js';
export * from './workload-certificate.js';
export * from './workload-secrets.js';
