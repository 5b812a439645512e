/** The validated mesh: plain frozen data, and the few pure functions that belong to it. */
export * from './derived-annotations.js';
export * from './endpoint.js';
export * from './host.js';
export * from './ip-address.js';
export * from './key-set.js';
export * from './mesh.js';
export * from './mesh-config.js';
export * from './mesh-config-spec.js';
export * from './protocol.js';
export * from './proxy.js';
export * from './service.js';
export * from './wasm-module.js';
export * from './workload.js';
export * from './workload-labels.js';
