import { fullyQualify, hostMatches } from '@seine/model';

/**
 * The hosts a Gateway server and a VirtualService have in common, each in its narrower form: `*.example.com` and
 * `shop.example.com` give `shop.example.com`.
 */
export function intersectHosts(serverHosts: readonly string[], hosts: readonly string[]): readonly string[] {
  const common = serverHosts.flatMap((serverHost) =>
    hosts.flatMap((host) => {
      if (hostMatches(host, serverHost)) return [serverHost];
      return hostMatches(serverHost, host) ? [host] : [];
    }),
  );
  return [...new Set(common)];
}

/**
 * The hosts of a Gateway server that VirtualServices of a namespace may use. `ns/host` is for that namespace, `./host` for the
 * Gateway's own; a plain host, or one of namespace `*`, for all.
 */
export function serverHostsFor(
  hosts: readonly string[],
  gatewayNamespace: string,
  virtualServiceNamespace: string,
): readonly string[] {
  return hosts.flatMap((host) => {
    const slash = host.indexOf('/');
    if (slash < 0) return [host];
    const namespace = host.slice(0, slash) === '.' ? gatewayNamespace : host.slice(0, slash);
    return namespace === '*' || namespace === virtualServiceNamespace ? [host.slice(slash + 1)] : [];
  });
}

/** A server host without its namespace. */
export function hostPart(serverHost: string): string {
  return serverHost.slice(serverHost.indexOf('/') + 1);
}

/** The hosts of a VirtualService, short names completed. */
export function qualifiedHosts(hosts: readonly string[], namespace: string, clusterDomain: string): readonly string[] {
  return hosts.map((host) => fullyQualify(host, namespace, clusterDomain));
}
