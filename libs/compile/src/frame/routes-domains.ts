import type { MeshService } from '@seine/model';

/**
 * Which forms of a domain a virtual host needs, by how Envoy finds it:
 * - `ignored`: the route configuration has `ignore_port_in_host_matching`, so names stand without a port (sidecars).
 * - `required`: the port tells services apart, as in `http_proxy`, where one configuration holds all ports. Port 80 also
 *   gets the bare name, because a client leaves `:80` out of the Host header.
 * - `both`: name and `name:port` (proxyless gRPC compares the whole target with the domains).
 */
export type DomainPorts = 'ignored' | 'required' | 'both';

export interface SidecarDomainOptions {
  /** The hosts (the service's own, and its aliases) of the client's namespace, where the bare name is enough. Default none. */
  readonly bareNames?: readonly string[] | undefined;
  /** Default `ignored`. */
  readonly ports?: DomainPorts | undefined;
}

/**
 * The Host values by which a sidecar's client reaches one port of a service: its full name, the shorter forms that
 * Kubernetes DNS would complete, those of its aliases, and its addresses. The full name comes first. All clients of other namespaces get the
 * same list.
 */
export function sidecarDomains(service: MeshService, port: number, options: SidecarDomainOptions): readonly string[] {
  const hosts = [service.host, ...(service.aliases ?? [])];
  const names = hosts.flatMap((host) => [host, ...shorterForms(host, options.bareNames?.includes(host) ?? false)]);
  if (service.headless && service.registry === 'kubernetes') names.push(...names.map((name) => `*.${name}`));
  return withPorts([...names, ...addressDomains(service.addresses)], port, options.ports ?? 'ignored');
}

/** The domains of a host that only a VirtualService names. */
export function virtualServiceDomains(host: string, port: number, ports: DomainPorts = 'ignored'): readonly string[] {
  return withPorts([host], port, ports);
}

/** `reviews.default.svc.cluster.local` → `reviews` (same namespace), `reviews.default.svc`, `reviews.default`; other hosts have none. */
function shorterForms(host: string, sameNamespace: boolean): string[] {
  const end = host.indexOf('.svc.');
  const dot = host.indexOf('.');
  if (host.startsWith('*') || end <= 0 || dot >= end) return [];
  const qualified = host.slice(0, end);
  return [...(sameNamespace ? [host.slice(0, dot)] : []), `${qualified}.svc`, qualified];
}

/** Single addresses as a Host header writes them: IPv6 in brackets. Ranges can not be matched by host and are left out. */
function addressDomains(addresses: readonly string[]): string[] {
  return addresses
    .map((address) => address.replace(address.includes(':') ? /\/128$/ : /\/32$/, ''))
    .filter((address) => !address.includes('/') && address !== '0.0.0.0' && address !== '::')
    .map((address) => (address.includes(':') ? `[${address}]` : address));
}

function withPorts(names: readonly string[], port: number, ports: DomainPorts): string[] {
  if (ports === 'ignored') return [...names];
  if (ports === 'required' && port !== 80) return names.map((name) => `${name}:${port}`);
  return names.flatMap((name) => [name, `${name}:${port}`]);
}

/** What must hold its domains alone within one route configuration. The first domain is the entry's own name. */
export interface DomainOwner {
  readonly domains: readonly string[];
}

/**
 * Makes domains unique, as Envoy refuses a whole route configuration that holds one domain twice (it compares without
 * case). Entries come in order of priority. An entry's own name (its first domain, with or without port) wins over another's
 * short form, whatever the order; among equals the first wins. An entry left without domains is dropped; one that loses
 * nothing is returned as it came.
 */
export function dedupeDomains<T extends DomainOwner>(entries: readonly T[]): readonly T[] {
  const owners = new Map<string, T>();
  const claim = (entry: T, domain: string): void => {
    const key = domain.toLowerCase();
    if (!owners.has(key)) owners.set(key, entry);
  };
  for (const entry of entries) for (const domain of ownNames(entry.domains)) claim(entry, domain);
  for (const entry of entries) for (const domain of entry.domains) claim(entry, domain);
  return entries.flatMap((entry) => {
    const kept = entry.domains.filter((domain) => {
      const key = domain.toLowerCase();
      if (owners.get(key) !== entry) return false;
      owners.delete(key);
      return true;
    });
    if (kept.length === entry.domains.length) return [entry];
    return kept.length > 0 ? [{ ...entry, domains: kept }] : [];
  });
}

function ownNames(domains: readonly string[]): readonly string[] {
  const [first, second] = domains;
  if (first === undefined) return [];
  return second?.startsWith(`${first}:`) ? [first, second] : [first];
}
