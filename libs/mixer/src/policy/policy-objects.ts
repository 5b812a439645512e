import { kindsOfGroup, mixerGroup } from '@seine/istio';
import { type ConfigObject, groupOf } from '@seine/k8s';
import { internList } from '@seine/memo';

/** Objects of `config.istio.io`, each as `normalizeObject` writes it. */
export type PolicyObjects = readonly ConfigObject[];

const intern = internList();

/**
 * Mixer's objects among a mesh's resources (`Mesh.resources`).
 * @returns the same list as long as the objects are the same, so that it can be the key of what is made of it
 */
export function policyObjectsOf(resources: ReadonlyMap<string, readonly ConfigObject[]>): PolicyObjects {
  const found: ConfigObject[] = [];
  for (const kind of kindsOfGroup(mixerGroup)?.keys() ?? [])
    for (const object of resources.get(kind) ?? []) if (groupOf(object.apiVersion) === mixerGroup) found.push(object);
  return intern(found);
}
