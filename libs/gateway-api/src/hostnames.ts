/** Names of hosts, of which one may be a wildcard: `*`, `*.example.com`. */

function isWildcard(name: string): boolean {
  return name.startsWith('*');
}

/** Whether some host has both names. As in Istio, `*` stands for any number of labels. */
export function hostsOverlap(a: string, b: string): boolean {
  if (a === b) return true;
  const [wildA, wildB] = [isWildcard(a), isWildcard(b)];
  if (wildA && wildB) return a.length < b.length ? b.endsWith(a.slice(1)) : a.endsWith(b.slice(1));
  if (wildA) return b.endsWith(a.slice(1)) && b.length >= a.length;
  return wildB && a.endsWith(b.slice(1)) && a.length >= b.length;
}

/** Whether every host that `name` may mean is one that `of` may mean too. */
export function isSubsetOf(name: string, of: string): boolean {
  if (name === of) return true;
  if (!isWildcard(of)) return false;
  if (!isWildcard(name)) return name.endsWith(of.slice(1)) && name.length >= of.length;
  return name.length >= of.length && name.endsWith(of.slice(1));
}

/** Of each pair that overlaps the narrower name, each once, in the order of `names`. */
export function intersectNames(names: readonly string[], others: readonly string[]): readonly string[] {
  const common = new Set<string>();
  for (const name of names)
    for (const other of others) {
      if (isSubsetOf(name, other)) common.add(name);
      else if (isSubsetOf(other, name)) common.add(other);
    }
  return [...common];
}
