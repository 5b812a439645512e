/** Envoy's v3 messages (generated into src/gen, imported as `@seine/envoy/envoy/…_pb.js`) and what surrounds them. */
export * from './any.js';
export * from './duration.js';
export * from './encode.js';
export { FilterChainConfigSchema } from './filter-chain.js';
export * from './grpc-secret.js';
export * from './known-types.js';
export * from './json.js';
export * from './registry.js';
export * from './type-url.js';
export { type PgvViolation, pgvViolations } from './pgv-check.js';
export * from './validate-pgv.js';
