import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepEqual } from '@seine/memo';
import type { Mesh, MeshConfig } from '@seine/model';
import { Derivations } from './derivations.js';
import { type BuiltMesh, MeshBuilder } from './mesh-builder.js';
import { MeshConfigSource } from './mesh-config-source.js';

interface Indexes {
  readonly builder: MeshBuilder;
  readonly settings: MeshConfigSource;
  readonly derived: Derivations;
}

/** The indexes that made a mesh, for the next one made from it: a cache, which no result depends on. */
const indexes = new WeakMap<Mesh, Indexes>();

export function emptyMesh(config: MeshConfig): Mesh {
  return Object.freeze({
    config,
    services: new Map(),
    endpoints: new Map(),
    privateServices: new Map(),
    workloads: new Map(),
    resources: new Map(),
  });
}

/**
 * Makes the mesh of a set of config objects. Whatever is equal in `previous` keeps its identity, up to the maps and the
 * mesh itself. Fastest when `previous` is the mesh made last: then the work grows with what changed, beside one
 * comparison of identities an object. No input makes it throw.
 *
 * @param config the settings where the ConfigMap `istio` of its root namespace says nothing else
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
  const known = previous && indexes.get(previous);
  // The indexes move on to the next mesh: a second mesh made from the same previous one starts with fresh ones.
  if (previous) indexes.delete(previous);
  const keys = changedKeys && new Set(changedKeys);
  const kept = known?.settings.base === config ? known.settings : undefined;
  const settings = kept ?? new MeshConfigSource(config);
  settings.update(objects, kept && keys);
  const builder =
    known && deepEqual(known.builder.config, settings.config) ? known.builder : new MeshBuilder(settings.config);
  // Gateway API objects and Ingresses act as what they mean in Istio's API, its old security kinds as what they mean in today's.
  const derived = known?.derived ?? new Derivations();
  const derivedKeys = derived.update(objects, known && keys, settings.config);
  const changed = keys && joined(keys, derivedKeys);
  const all = derived.over(objects);
  const { mesh, diagnostics } = builder.update(previous ?? emptyMesh(settings.config), all, changed);
  indexes.set(mesh, { builder, settings, derived });
  const more = [...settings.diagnostics(), ...derived.diagnostics()];
  return { mesh, diagnostics: more.length > 0 ? [...diagnostics, ...more] : diagnostics };
}

function joined<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return b.size === 0 ? a : new Set([...a, ...b]);
}
