import type { ConfigObject } from '@seine/k8s';
import { ignoredNamespaces } from './assumed.js';
import { type KindName, kindNameOf, kinds } from './kinds.js';

export type ObjectsByKind = ReadonlyMap<KindName, readonly ConfigObject[]>;

/** Objects by their kind, without those of namespaces that nobody asks about. Each object is looked at once. */
export function sortByKind(objects: readonly ConfigObject[]): Map<KindName, ConfigObject[]> {
  const byKind = new Map<KindName, ConfigObject[]>();
  // A mesh has many objects of few kinds and versions: their lists are found without making a name each time.
  const byVersion = new Map<string, Map<string, ConfigObject[]>>();
  for (const object of objects) {
    const { apiVersion, kind } = object;
    const lists = byVersion.get(apiVersion) ?? new Map<string, ConfigObject[]>();
    if (lists.size === 0) byVersion.set(apiVersion, lists);
    let list = lists.get(kind);
    if (!list) {
      const name = kindNameOf(object);
      list = byKind.get(name) ?? [];
      byKind.set(name, list);
      lists.set(kind, list);
    }
    if (!ignoredNamespaces.has(object.metadata.namespace)) list.push(object);
  }
  const namespaces = byKind.get(kinds.namespace);
  if (namespaces)
    byKind.set(
      kinds.namespace,
      namespaces.filter(({ metadata }) => !ignoredNamespaces.has(metadata.name)),
    );
  return byKind;
}
