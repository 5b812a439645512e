import { type ConfigObject, groupOf, mayHoldCertificates, type ObjectKey, objectKey } from '@seine/k8s';
import { compareText } from './fields.js';
import { patchOrderedMap } from './ordered-map.js';

/** Kinds that the mesh holds in a form of its own: services, endpoints, workloads. */
const convertedKinds = new Set(['ServiceEntry', 'WorkloadEntry']);

/** Groups whose objects are handed on as they are. */
function isOwnGroup(group: string): boolean {
  return group.endsWith('.istio.io') || group.endsWith('.seine.dev');
}

/** Whether an object is handed on as a resource (`Mesh.resources`). */
export function isResource(object: ConfigObject): boolean {
  if (mayHoldCertificates(object)) return true;
  return isOwnGroup(groupOf(object.apiVersion)) && !convertedKinds.has(object.kind);
}

/** By creation time (none stated = oldest), then namespace, then name; the group tells apart what is left. */
export function compareResources(a: ConfigObject, b: ConfigObject): number {
  return (
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compareText(a.metadata.namespace, b.metadata.namespace) ||
    compareText(a.metadata.name, b.metadata.name) ||
    compareText(groupOf(a.apiVersion), groupOf(b.apiVersion))
  );
}

function position(list: readonly ConfigObject[], object: ConfigObject): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = list[middle];
    if (other && compareResources(other, object) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface ResourceChange {
  readonly before: ConfigObject | undefined;
  readonly after: ConfigObject | undefined;
}

/**
 * Applies changes to the lists of resources. Only the lists of changed kinds are new.
 * @param changes by object key
 */
export function patchResources(
  lists: ReadonlyMap<string, readonly ConfigObject[]>,
  changes: ReadonlyMap<ObjectKey, ResourceChange>,
): ReadonlyMap<string, readonly ConfigObject[]> {
  const next = new Map<string, ConfigObject[]>();
  const editable = (kind: string): ConfigObject[] => {
    let list = next.get(kind);
    if (!list) next.set(kind, (list = [...(lists.get(kind) ?? [])]));
    return list;
  };
  for (const { before, after } of changes.values()) {
    if (before) {
      const list = editable(before.kind);
      const at = position(list, before);
      if (list[at] && objectKey(list[at]) === objectKey(before)) list.splice(at, 1);
    }
    if (after) {
      const list = editable(after.kind);
      list.splice(position(list, after), 0, after);
    }
  }
  const patch = [...next].map(([kind, list]) => [kind, list.length > 0 ? Object.freeze(list) : undefined] as const);
  return patchOrderedMap(lists, new Map<string, readonly ConfigObject[] | undefined>(patch));
}
