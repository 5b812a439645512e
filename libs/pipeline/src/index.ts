/**
 * From the mesh log to snapshots: the pump, and the incremental compiler round the pure functions of `compile`.
 *
 *   Store ─► MeshFeed (coalesces) ─► Mesh ─► scopeOf(proxy) ─► compileViews ─► Snapshot (shared resources)
 *
 * Every step is memoized on the identity of what it reads (see `memo`), so a change recompiles what depends on it.
 */
export * from './client-kind.js';
export * from './compile-proxy.js';
export * from './compiler.js';
export * from './mesh-feed.js';
export * from './pilot-source.js';
export * from './proxy-start.js';
export * from './scope.js';
export * from './explain-policy.js';
