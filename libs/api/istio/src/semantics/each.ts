import type { Scope } from '../validation/scope.js';

/** Looks at every element of a list that may be absent. */
export function each<T>(list: readonly T[] | undefined, scope: Scope, look: (item: T, scope: Scope) => void): void {
  list?.forEach((item, i) => look(item, scope.at(i)));
}
