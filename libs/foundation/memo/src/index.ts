/**
 * Memoization by identity: the engine of incremental compilation.
 *
 * Config and model objects are frozen and keep their identity while their content stays equal, so the identities of a
 * pure function's arguments are an exact cache key. Nothing has to be declared beside the arguments, hence nothing can
 * be forgotten (Istio calls its hand-declared cache keys error-prone; see docs/architecture.md).
 */

type Key = unknown;

interface Node<T> {
  weak?: WeakMap<object, Node<T>>;
  strong?: Map<Key, Node<T>>;
  value?: { readonly result: T };
}

export interface Memo<A extends readonly unknown[], R> {
  (...args: A): R;
  /** How often the function itself ran: what tests of the speed rules count. */
  readonly runs: () => number;
  readonly label: string;
}

function child<T>(node: Node<T>, key: Key): Node<T> {
  if (typeof key === 'object' && key !== null) {
    const map = (node.weak ??= new WeakMap<object, Node<T>>());
    let next = map.get(key);
    if (!next) map.set(key, (next = {}));
    return next;
  }
  const map = (node.strong ??= new Map<Key, Node<T>>());
  let next = map.get(key);
  if (!next) map.set(key, (next = {}));
  return next;
}

/** Runs by label, over all functions of that label. */
const runsByLabel = new Map<string, number>();

/** How often the functions memoized under a label have run in this process: what tests of the speed rules count. */
export function memoRuns(label: string): number {
  return runsByLabel.get(label) ?? 0;
}

/**
 * Memoizes a pure function on the identities of its arguments (primitives by value). Entries live as long as the
 * object arguments do; put an object first, or primitives are kept for ever.
 * @param label names the function in counters
 */
export function memo<A extends readonly unknown[], R>(label: string, compute: (...args: A) => R): Memo<A, R> {
  const root: Node<R> = {};
  let runs = 0;
  const call = (...args: A): R => {
    let node = root;
    for (const arg of args) node = child(node, arg);
    if (!node.value) {
      runs++;
      runsByLabel.set(label, (runsByLabel.get(label) ?? 0) + 1);
      node.value = { result: compute(...args) };
    }
    return node.value.result;
  };
  return Object.assign(call, { runs: () => runs, label });
}

/**
 * Interns arrays: equal sequences of identities become one frozen array, so that it can serve as a memo key.
 */
export function internList(): <T extends object>(items: readonly T[]) => readonly T[] {
  interface Trie {
    readonly next: WeakMap<object, Trie>;
    list?: readonly object[];
  }
  const root: Trie = { next: new WeakMap() };
  return <T extends object>(items: readonly T[]): readonly T[] => {
    let node = root;
    for (const item of items) {
      let next = node.next.get(item);
      if (!next) node.next.set(item, (next = { next: new WeakMap() }));
      node = next;
    }
    return (node.list ??= Object.freeze([...items])) as readonly T[];
  };
}

/** Whether two lists hold the same identities in the same order. */
export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => item === b[i]));
}

/** Whether two maps hold the same keys with identical values. */
export function sameEntries<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value || (value === undefined && !b.has(key))) return false;
  return true;
}

/** Freezes a plain value and all it holds; returns the same value. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}

/** Structural equality of plain JSON-like data (objects, arrays, Maps, primitives). */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => deepEqual(item, b[i]));
  if (a instanceof Map)
    return b instanceof Map && a.size === b.size && [...a].every(([k, v]) => b.has(k) && deepEqual(v, b.get(k)));
  if (Array.isArray(b) || b instanceof Map) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((k) => k in b && deepEqual((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k]))
  );
}

/**
 * Interns values by a content key: equal keys give the object that came first. For places where equal content arises
 * anew in many objects (a thousand workloads with the same ports).
 * @param limit most keys held; beyond it the oldest goes, and an equal value that comes later is merely not shared with it
 */
export function internByKey<T extends object>(limit: number): (key: string, make: () => T) => T {
  const known = new Map<string, T>();
  return (key, make) => {
    const found = known.get(key);
    if (found) return found;
    const made = make();
    known.set(key, made);
    if (known.size > limit) {
      const oldest = known.keys().next().value;
      if (oldest !== undefined) known.delete(oldest);
    }
    return made;
  };
}
