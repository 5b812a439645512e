/** Contract suites: what every adapter of a port must do. Imported by spec files only. */
export * from './graph-store-contract.js';
export * from './observations.js';
