import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { deepFreeze } from '@seine/memo';
import { defaultMeshConfig, type Mesh, type MeshConfig, type Proxy } from '@seine/model';
import { buildMesh } from '@seine/registry';
import type { Resource } from '@seine/snapshot';
import { proxyBeside } from '../compile-proxy.js';
import { compileViews, type Views } from '../compiler.js';
import type { RandomChange } from './random-config.js';

/** A mesh that is edited object by object, as a pilot sees it. */
export class MeshUnderTest {
  readonly objects = new Map<ObjectKey, ConfigObject>();
  #mesh: Mesh;

  constructor(
    objects: readonly ConfigObject[] = [],
    readonly config: MeshConfig = defaultMeshConfig,
  ) {
    for (const object of objects) this.objects.set(objectKey(object), deepFreeze(object));
    this.#mesh = buildMesh(undefined, this.objects, config).mesh;
  }

  get mesh(): Mesh {
    return this.#mesh;
  }

  put(...objects: readonly ConfigObject[]): this {
    for (const object of objects) this.objects.set(objectKey(object), deepFreeze(object));
    return this.#rebuild(objects.map(objectKey));
  }

  remove(...keys: readonly ObjectKey[]): this {
    for (const key of keys) this.objects.delete(key);
    return this.#rebuild(keys);
  }

  /** Several changes as one, as when they came during a push. */
  apply(changes: readonly RandomChange[]): this {
    const keys = changes.map((change) => {
      if ('removed' in change) {
        this.objects.delete(change.removed);
        return change.removed;
      }
      const key = objectKey(change.put);
      this.objects.set(key, deepFreeze(change.put));
      return key;
    });
    return this.#rebuild(keys);
  }

  #rebuild(keys: readonly ObjectKey[]): this {
    this.#mesh = buildMesh(this.#mesh, this.objects, this.config, keys).mesh;
    return this;
  }

  views(proxy: Proxy): Views {
    return compileViews(this.#mesh, proxy);
  }

  /** The proxies beside all workloads. */
  proxies(): readonly Proxy[] {
    return [...new Set(this.#mesh.workloads.values())].map((workload) => proxyBeside(workload, this.config));
  }
}

/** Every resource of views by type and name. */
export function resourcesIn(views: Views): ReadonlyMap<string, Resource> {
  const found = new Map<string, Resource>();
  for (const [typeUrl, view] of views)
    for (const layer of view)
      for (const item of layer) {
        const key = `${typeUrl} ${item.name}`;
        if (found.has(key)) throw new Error(`${key} is there twice`);
        found.set(key, item);
      }
  return found;
}

/** Names and versions, in a form that compares. */
export function versionsIn(views: Views): Readonly<Record<string, string>> {
  const versions = [...resourcesIn(views)].map(([key, { version }]) => [key, version] as const);
  return Object.fromEntries(versions.sort(([a], [b]) => (a < b ? -1 : 1)));
}
