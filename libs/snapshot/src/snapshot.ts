import { contentHash } from './resource.js';
import { memo } from '@seine/memo';
import { diffSets, ResourceSet, unionSets } from './resource-set.js';

/**
 * What one proxy should have of one type: layers in a fixed order (0 = shared by its scope, 1 = its own). Names do not
 * overlap between layers. Views are interned by their makers, so equal views are one object.
 */
export type View = readonly ResourceSet[];

export const emptyView: View = Object.freeze([]);

/** Everything one proxy should have now: references only. */
export interface Snapshot {
  /** The mesh log's revision that this reflects. */
  readonly revision: number;
  /** By type URL; an absent type is empty. */
  readonly views: ReadonlyMap<string, View>;
}

export function layerOf(view: View, index: number): ResourceSet {
  return view[index] ?? ResourceSet.empty;
}

export function viewHas(view: View, name: string): boolean {
  return view.some((layer) => layer.has(name));
}

/** The version of a whole view: what state-of-the-world responses carry. */
export const viewVersion = memo('viewVersion', (view: View): string =>
  contentHash(view.map((layer) => layer.version).join('/')),
);

/** Layer by layer `unionSets`. Gives `to` itself where nothing goes away. */
export const unionViews = memo('unionViews', (from: View, to: View): View => {
  const layers = Array.from({ length: Math.max(from.length, to.length) }, (_, i) =>
    unionSets(layerOf(from, i), layerOf(to, i)),
  );
  return layers.every((layer, i) => layer === layerOf(to, i)) ? to : Object.freeze(layers);
});

/** Whether the step removes a name. */
export function removesNames(from: View, to: View): boolean {
  return from.some((layer, i) => layer !== layerOf(to, i) && diffSets(layer, layerOf(to, i)).removed.length > 0);
}
