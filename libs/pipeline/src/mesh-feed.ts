/** The pump is the registry's, as mixer follows the mesh by it as well. */
export { type ChangeEvent, MeshFeed, type MeshFeedOptions, type MeshVersion } from '@seine/registry';
