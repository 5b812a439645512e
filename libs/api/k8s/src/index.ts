/** What every config object has, and the kinds of Kubernetes itself. */
export * from './json-schema.js';
export * from './kind-info.js';
export * from './kinds.js';
export * from './label-selector.js';
export * from './object.js';
export * from './read-fields.js';
export * from './secret.js';
