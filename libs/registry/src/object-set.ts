import type { ObjectsByKey } from '@seine/gateway-api';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepEqual } from '@seine/memo';

export interface ObjectChange {
  readonly key: ObjectKey;
  readonly before: ConfigObject | undefined;
  readonly after: ConfigObject | undefined;
}

/** The objects that were seen last, to tell what a new set changes. */
export class ObjectSet {
  readonly #objects = new Map<ObjectKey, ConfigObject>();

  get(key: ObjectKey): ConfigObject | undefined {
    return this.#objects.get(key);
  }

  /**
   * Takes over a whole new set; equal objects are no change. One comparison of identities an object where little
   * changed.
   * @param held objects known from elsewhere, put in the place of equal new ones
   */
  replace(objects: ObjectsByKey, held: ReadonlyMap<ObjectKey, ConfigObject>): readonly ObjectChange[] {
    const changes: ObjectChange[] = [];
    let present = 0;
    for (const [key, object] of objects) {
      const before = this.#objects.get(key);
      if (before) present++;
      if (before === object || (before && deepEqual(before, object))) continue;
      const known = held.get(key);
      changes.push({ key, before, after: known && deepEqual(known, object) ? known : object });
    }
    if (present < this.#objects.size) {
      for (const [key, before] of this.#objects) if (!objects.has(key)) changes.push({ key, before, after: undefined });
    }
    return this.#take(changes);
  }

  /** As `replace`, where it is known which keys may have changed: looks at no other. */
  replaceSome(objects: ObjectsByKey, keys: Iterable<ObjectKey>): readonly ObjectChange[] {
    const changes: ObjectChange[] = [];
    for (const key of new Set(keys)) {
      const before = this.#objects.get(key);
      const after = objects.get(key);
      if (before !== after && !deepEqual(before, after)) changes.push({ key, before, after });
    }
    return this.#take(changes);
  }

  #take(changes: readonly ObjectChange[]): readonly ObjectChange[] {
    for (const { key, after } of changes) {
      if (after) this.#objects.set(key, after);
      else this.#objects.delete(key);
    }
    return changes;
  }
}
