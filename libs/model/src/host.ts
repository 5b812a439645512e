/**
 * Completes a short name against a namespace, as Istio does for hosts in its resources: a name without a dot becomes
 * `name.namespace.svc.<cluster domain>`; anything with a dot, and `*`, stays as written.
 */
export function fullyQualify(host: string, namespace: string, clusterDomain: string): string {
  return host.includes('.') || host === '*' || host === '' ? host : `${host}.${namespace}.svc.${clusterDomain}`;
}

/** Whether `pattern` (exact, `*`, `*.example.com`) covers `host`, which may be a wildcard itself (then it must be at most as wide). */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  if (!pattern.startsWith('*')) return false;
  const suffix = pattern.slice(1);
  return host.startsWith('*') ? host.slice(1).endsWith(suffix) : host.length > suffix.length && host.endsWith(suffix);
}
