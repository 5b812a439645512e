import type { VirtualService } from '@seine/istio';
import { memo } from '@seine/memo';
import { fullyQualify, hostMatches, type MeshService } from '@seine/model';

/** What `egress[].hosts` lets a client see: host patterns by the namespace they are about. */
export interface EgressHosts {
  /** `.` is resolved already; `~` is no namespace, so nothing is in it. */
  readonly byNamespace: ReadonlyMap<string, readonly string[]>;
  /** Patterns of the star namespace: for every namespace that is not named itself. */
  readonly anywhere: readonly string[];
  /** Whether that is all there is. */
  readonly everything: boolean;
}

/**
 * Reads `namespace/dnsName` entries.
 * @param hosts as written; entries without a slash are left out (validation refuses them)
 * @param namespace what `.` stands for: the workload's own, also where the Sidecar is the root namespace's
 */
export const readEgressHosts = memo('readEgressHosts', (hosts: readonly string[], namespace: string): EgressHosts => {
  const byNamespace = new Map<string, string[]>();
  for (const entry of hosts) {
    const slash = entry.indexOf('/');
    if (slash < 0) continue;
    const written = entry.slice(0, slash);
    const resolved = written === '.' ? namespace : written;
    byNamespace.set(resolved, [...(byNamespace.get(resolved) ?? []), entry.slice(slash + 1)]);
  }
  const anywhere = byNamespace.get('*') ?? [];
  byNamespace.delete('*');
  return Object.freeze({ byNamespace, anywhere, everything: byNamespace.size === 0 && anywhere.includes('*') });
});

/** Whether a service is among the hosts. Patterns of its own namespace, where there are any, go instead of those for all. */
export function importsService({ byNamespace, anywhere }: EgressHosts, service: MeshService): boolean {
  const patterns = byNamespace.get(service.namespace) ?? anywhere;
  return patterns.some((pattern) => hostMatches(pattern, service.host));
}

/**
 * Whether a VirtualService comes with the hosts: one of its own hosts covers a pattern or is covered by it, so that
 * `*.example.com` comes with `a.example.com` too (Istio).
 */
export function importsVirtualService(
  { byNamespace, anywhere }: EgressHosts,
  { metadata, spec }: VirtualService,
  clusterDomain: string,
): boolean {
  const patterns = [...(byNamespace.get(metadata.namespace) ?? []), ...anywhere];
  if (patterns.length === 0) return false;
  return (spec.hosts ?? []).some((written) => {
    const host = fullyQualify(written, metadata.namespace, clusterDomain);
    return patterns.some((pattern) => hostMatches(pattern, host) || hostMatches(host, pattern));
  });
}
