/**
 * Rate limits over many proxies: which limits a request's descriptors hit, and whether there is room. No sockets, no
 * clock; where the counts live is behind `Counters`.
 */
export * from './counting/counters.js';
export * from './counting/fallback-counters.js';
export * from './counting/limit.js';
export * from './counting/memory-counters.js';
export * from './counting/shares.js';
export * from './descriptors/decide.js';
export * from './descriptors/own-limits.js';
export * from './descriptors/parse-config.js';
export * from './descriptors/rule-tree.js';
