/**
 * Principals with the mesh's trust domain under each of its names: whoever was called `old-td/ns/x/sa/y` before a
 * migration is still meant, and the other way round (Istio, "Trust Domain Migration").
 * @param domains the trust domain and its aliases
 */
export function expandTrustDomains(principals: readonly string[], domains: readonly string[]): readonly string[] {
  return [...new Set(principals.flatMap((principal) => expand(principal, domains)))];
}

function expand(principal: string, domains: readonly string[]): readonly string[] {
  const slash = principal.indexOf('/');
  const named = principal.slice(0, slash);
  // `*` and `*/…` mean every trust domain already.
  if (slash < 0 || named === '*' || !domains.some((domain) => isNamed(domain, named))) return [principal];
  return domains.map((domain) =>
    isNamed(domain, named) && named !== domain ? principal : domain + principal.slice(slash),
  );
}

function isNamed(domain: string, named: string): boolean {
  return named.startsWith('*') ? domain.endsWith(named.slice(1)) : domain === named;
}
