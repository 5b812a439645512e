import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepEqual } from '@seine/memo';
import type { Mesh, MeshConfig } from '@seine/model';
import { type BuiltMesh, MeshBuilder } from './mesh-builder.js';

/** The indexes that made a mesh, for the next one made from it: a cache, which no result depends on. */
const builders = new WeakMap<Mesh, MeshBuilder>();

export function emptyMesh(config: MeshConfig): Mesh {
  return Object.freeze({
    config,
    services: new Map(),
    endpoints: new Map(),
    workloads: new Map(),
    resources: new Map(),
  });
}

/**
 * Makes the mesh of a set of config objects. Whatever is equal in `previous` keeps its identity, up to the maps and the
 * mesh itself. Fastest when `previous` is the mesh made last: then the work grows with what changed, beside one
 * comparison of identities an object. No input makes it throw.
 *
 * @param objects validated objects by key; a field that has the wrong type all the same reads as absent
 * @param changedKeys the only keys whose objects may differ from those `previous` was made of, where the caller knows
 * them (from log entries): then even the comparison of identities is saved
 */
export function buildMesh(
  previous: Mesh | undefined,
  objects: ReadonlyMap<ObjectKey, ConfigObject>,
  config: MeshConfig,
  changedKeys?: Iterable<ObjectKey>,
): BuiltMesh {
  const known = previous && builders.get(previous);
  // The indexes move on to the next mesh: a second mesh made from the same previous one starts with fresh ones.
  if (previous) builders.delete(previous);
  const builder = known && deepEqual(known.config, config) ? known : new MeshBuilder(config);
  const built = builder.update(previous ?? emptyMesh(config), objects, changedKeys);
  builders.set(built.mesh, builder);
  return built;
}
