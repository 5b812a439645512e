import { memo } from '@seine/memo';

/**
 * A set of resource names, interned: streams that ask for the same names hold the same object, so that what is computed
 * for one (a filtered body, say) serves all.
 */
export class NameSet {
  static readonly empty = new NameSet(new Set());

  private constructor(readonly names: ReadonlySet<string>) {}

  static of(names: Iterable<string>): NameSet {
    const set = new Set(names);
    if (set.size === 0) return NameSet.empty;
    const key = [...set].join('\0');
    return interned(key, () => new NameSet(set));
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  get size(): number {
    return this.names.size;
  }
}

/** Most recent sets by content. A set that falls out is merely no longer shared with newcomers. */
const recent = new Map<string, WeakRef<NameSet>>();
const recentLimit = 512;

function interned(key: string, make: () => NameSet): NameSet {
  const known = recent.get(key)?.deref();
  if (known) return known;
  const made = make();
  recent.delete(key);
  recent.set(key, new WeakRef(made));
  if (recent.size > recentLimit) {
    const oldest = recent.keys().next().value;
    if (oldest !== undefined) recent.delete(oldest);
  }
  return made;
}

export const unionNames = memo('unionNames', (a: NameSet, b: NameSet): NameSet => {
  if (a.size === 0) return b;
  return [...b.names].every((name) => a.has(name)) ? a : NameSet.of([...a.names, ...b.names]);
});

export const withoutNames = memo('withoutNames', (a: NameSet, b: NameSet): NameSet =>
  [...b.names].some((name) => a.has(name)) ? NameSet.of([...a.names].filter((name) => !b.has(name))) : a,
);

export const intersectNames = memo('intersectNames', (a: NameSet, b: NameSet): NameSet => {
  const both = [...a.names].filter((name) => b.has(name));
  return both.length === a.size ? a : both.length === b.size ? b : NameSet.of(both);
});
