import { memo } from '@seine/memo';
import { contentHash, type Resource } from './resource.js';

/** What changes between two sets: resources new or of another version, and names that are gone. */
export interface SetDiff {
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

/**
 * An immutable set of resources of one type: one layer of what a proxy gets. A proxy's view of a type is a list of such
 * layers (what its scope shares, what is its own), so that the shared part is one object for a thousand proxies, and so
 * is each step from one shared set to the next.
 */
export class ResourceSet implements Iterable<Resource> {
  static readonly empty = new ResourceSet(new Map());
  #version: string | undefined;

  private constructor(private readonly byName: ReadonlyMap<string, Resource>) {}

  /** @throws Error on two resources of one name: the compiler must have merged them */
  static of(resources: Iterable<Resource>): ResourceSet {
    const byName = new Map<string, Resource>();
    for (const item of resources) {
      if (byName.has(item.name)) throw new Error(`duplicate resource ${item.name}`);
      byName.set(item.name, item);
    }
    return byName.size === 0 ? ResourceSet.empty : new ResourceSet(byName);
  }

  get size(): number {
    return this.byName.size;
  }

  get(name: string): Resource | undefined {
    return this.byName.get(name);
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  names(): Iterable<string> {
    return this.byName.keys();
  }

  [Symbol.iterator](): Iterator<Resource> {
    return this.byName.values();
  }

  /** Hash over names and versions, independent of their order. */
  get version(): string {
    return (this.#version ??= contentHash(
      [...this.byName.values()]
        .map((r) => `${r.name}\0${r.version}\n`)
        .sort()
        .join(''),
    ));
  }
}

/** The step from one set to another; computed once a pair. */
export const diffSets = memo('diffSets', (from: ResourceSet, to: ResourceSet): SetDiff => {
  const changed: Resource[] = [];
  const removed: string[] = [];
  if (from !== to) {
    for (const item of to) if (from.get(item.name)?.version !== item.version) changed.push(item);
    for (const name of from.names()) if (!to.has(name)) removed.push(name);
  }
  return Object.freeze({ changed: Object.freeze(changed), removed: Object.freeze(removed) });
});

/** `to`, and what of `from` it lacks: the half-way house of make-before-break. Is `to` itself where nothing goes away. */
export const unionSets = memo('unionSets', (from: ResourceSet, to: ResourceSet): ResourceSet => {
  const kept = [...from].filter((item) => !to.has(item.name));
  return kept.length === 0 ? to : ResourceSet.of([...to, ...kept]);
});
