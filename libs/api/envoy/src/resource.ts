/**
 * How a message becomes a resource, without the descriptors of all of Envoy that the main entry brings along: they take
 * tens of megabytes, which a program on every node need not have.
 */
export * from './encode.js';
export * from './type-url.js';
