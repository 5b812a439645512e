/**
 * Real servers for the end-to-end tests: a pilot process, real Envoys on loopback addresses, and upstreams that count.
 *
 *   TestMesh ─ writes YAML ─► PilotProcess ─ ADS ─► Envoy (sidecar, gateway) ─► EchoServer
 */
export * from './certificates.js';
export * from './child-process.js';
export * from './debian-package.js';
export * from './echo-server.js';
export * from './envoy.js';
export * from './ext-authz-service.js';
export * from './greeter-server.js';
export * from './http-request.js';
export * from './laptop-mesh.js';
export * from './loopback.js';
export * from './mesh-identity.js';
export * from './mesh-nodes.js';
export * from './mesh-options.js';
export * from './mesh-yaml.js';
export * from './mixer-process.js';
export * from './opa-server.js';
export * from './otlp-collector.js';
export * from './pilot-process.js';
export * from './prometheus.js';
export * from './proxyless-client.js';
export * from './real-cases.js';
export * from './proxy-wasm.js';
export * from './rate-limit-service.js';
export * from './raw-request.js';
export * from './redis-server.js';
export * from './repository.js';
export * from './sample-server.js';
export * from './seinectl.js';
export * from './servers.js';
export * from './service-account-issuer.js';
export * from './spiffe-authority.js';
export * from './statistics.js';
export * from './telemetry-yaml.js';
export * from './test-mesh.js';
export * from './tls-request.js';
export * from './validate-config.js';
export * from './validation-batch.js';
export * from './zipkin.js';
