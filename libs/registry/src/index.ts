/** Merges what the sources say into one set of objects, and makes the mesh of it. */
export { buildMesh, emptyMesh } from './build-mesh.js';
export type { BuiltMesh } from './mesh-builder.js';
export { type ChangeEvent, MeshFeed, type MeshFeedOptions, type MeshVersion } from './mesh-feed.js';
export { findWorkload } from './find-workload.js';
export { appliedOrigin, describeOrigin, ObjectTable, type TableEntry } from './object-table.js';
