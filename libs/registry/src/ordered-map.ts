/**
 * Applies changes to a map that is kept in key order, so that two replicas walk it alike.
 * @param changes new values by key; undefined deletes
 * @returns the same map when every change is to the value that is there already
 */
export function patchOrderedMap<V>(
  map: ReadonlyMap<string, V>,
  changes: ReadonlyMap<string, V | undefined>,
): ReadonlyMap<string, V> {
  const real = [...changes].filter(([key, value]) => map.get(key) !== value);
  if (real.length === 0) return map;
  const added = real.filter((change): change is [string, V] => change[1] !== undefined && !map.has(change[0]));
  const next = added.length > 0 ? insertOrdered(map, added) : new Map(map);
  for (const [key, value] of real) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

/** Merges new entries into an ordered map: one pass, as sorting everything anew would cost far more. */
function insertOrdered<V>(map: ReadonlyMap<string, V>, added: readonly [string, V][]): Map<string, V> {
  const waiting = [...added].sort(([a], [b]) => (a < b ? -1 : 1));
  const next = new Map<string, V>();
  let at = 0;
  for (const [key, value] of map) {
    for (let entry = waiting[at]; entry && entry[0] < key; entry = waiting[++at]) next.set(entry[0], entry[1]);
    next.set(key, value);
  }
  for (const [key, value] of waiting.slice(at)) next.set(key, value);
  return next;
}
