import { internList, memo } from '@seine/memo';
import { type Resource, ResourceSet } from '@seine/snapshot';

const internResources = internList();
const setOf = memo('resourceSet', (resources: readonly Resource[]): ResourceSet => ResourceSet.of(resources));

/**
 * A set by its members: the same resources give the same set, wherever they come from. Of two with one name the first
 * stands (two objects may claim the same address and port).
 */
export function internSet(resources: readonly Resource[]): ResourceSet {
  const names = new Set<string>();
  const kept = resources.filter((item) => !names.has(item.name) && names.add(item.name));
  return setOf(internResources(kept));
}
