/** Seine's own APIs: the proto files and their messages as plain types, and the run file. */
export * from './config.js';
export type * from './run-file.js';
export * from './certificates.js';
export * from './csi.js';
export type * from './citadel-admin.js';
export * from './workload-api.js';
export * from './mixer-adapter.js';
