import {
  destinationHosts,
  type EgressBind,
  egressBindOf,
  type EgressHosts,
  importsService,
  importsVirtualService,
  readEgressHosts,
} from '@seine/compile';
import type { IstioEgressListener, Sidecar, VirtualService } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import { fullyQualify, type MeshService, type Protocol } from '@seine/model';
import { indexVirtualServices, type VirtualServiceIndex } from './virtual-services.js';
import { servicesOf, type Services } from './visibility.js';

/** What stands behind the listeners and routes of a client, or of one of its ports. */
export interface Listing {
  readonly services: Services;
  /** Oldest first. */
  readonly virtualServices: readonly VirtualService[];
  readonly index: VirtualServiceIndex;
}

/** A port that a Sidecar's `egress` names: it has listeners, routes and hosts of its own. */
export interface EgressPort {
  readonly bind: EgressBind;
  /** Services cut down to the port, and with the listener's protocol; whole where the listener is not of one port. */
  readonly listing: Listing;
}

/** What a client may call. */
export interface Egress {
  /** What is listed on ports that no entry names. */
  readonly common: Listing;
  /** Entries with a port, in their order. */
  readonly ports: readonly EgressPort[];
  /** All that clusters are made for: what is listed, and where the routes of imported VirtualServices lead. */
  readonly services: Services;
}

const listing = memo(
  'listing',
  (services: Services, virtualServices: readonly VirtualService[], clusterDomain: string): Listing =>
    Object.freeze({ services, virtualServices, index: indexVirtualServices(virtualServices, clusterDomain) }),
);

/** One list, so that it can be a key. */
export const noPorts: readonly EgressPort[] = Object.freeze([]);
const nothing: readonly never[] = Object.freeze([]);

/** Without a Sidecar that says what is called: everything that is visible. */
const wholeMesh = memo(
  'wholeMesh',
  (services: Services, virtualServices: readonly VirtualService[], clusterDomain: string): Egress =>
    Object.freeze({ common: listing(services, virtualServices, clusterDomain), ports: noPorts, services }),
);

const byNamespace = memo('servicesByNamespace', (services: Services): ReadonlyMap<string, readonly MeshService[]> => {
  const found = new Map<string, MeshService[]>();
  for (const service of services.values()) {
    const list = found.get(service.namespace);
    if (list) list.push(service);
    else found.set(service.namespace, [service]);
  }
  return found;
});

/** The services among the hosts, by host. Only the namespaces that are named are looked through. */
function importedServices(visible: Services, hosts: EgressHosts): readonly MeshService[] {
  if (hosts.everything) return [...visible.values()];
  const candidates =
    hosts.anywhere.length > 0
      ? [...visible.values()]
      : [...hosts.byNamespace.keys()]
          .flatMap((namespace) => byNamespace(visible).get(namespace) ?? [])
          .sort((a, b) => (a.host < b.host ? -1 : 1));
  return candidates.filter((service) => importsService(hosts, service));
}

const internVirtualServices = internList();

function importedVirtualServices(
  visible: readonly VirtualService[],
  hosts: EgressHosts,
  clusterDomain: string,
): readonly VirtualService[] {
  if (hosts.everything) return visible;
  return internVirtualServices(visible.filter((vs) => importsVirtualService(hosts, vs, clusterDomain)));
}

/** The service as one port of it; `protocol` where a listener states its own. Undefined: it has no such port. */
const onPort = memo(
  'serviceOnPort',
  (service: MeshService, number: number, protocol: Protocol | undefined): MeshService | undefined => {
    const found = service.ports.find(({ port }) => port === number);
    if (!found) return undefined;
    if (service.ports.length === 1 && (protocol === undefined || protocol === found.protocol)) return service;
    const port = protocol === undefined ? found : Object.freeze({ ...found, protocol });
    return Object.freeze({ ...service, ports: Object.freeze([port]) });
  },
);

/** The service with some of its ports. */
const withPorts = memo('serviceWithPorts', (service: MeshService, numbers: string): MeshService => {
  const kept = new Set(numbers.split(',').map(Number));
  const ports = service.ports.filter(({ port }) => kept.has(port));
  return ports.length === service.ports.length ? service : Object.freeze({ ...service, ports: Object.freeze(ports) });
});

const internBind = internByKey<EgressBind>(1024);
const internPorts = internList();
const egressPort = memo('egressPort', (listed: Listing, bind: EgressBind): EgressPort =>
  Object.freeze({ bind, listing: listed }),
);

interface Visible {
  readonly services: Services;
  readonly virtualServices: readonly VirtualService[];
  readonly namespace: string;
  readonly clusterDomain: string;
}

function listingOf(entry: IstioEgressListener | undefined, bind: EgressBind | undefined, visible: Visible): Listing {
  const { clusterDomain } = visible;
  const hosts = readEgressHosts(entry?.hosts ?? nothing, visible.namespace);
  const imported = importedServices(visible.services, hosts);
  const services = bind?.ofOnePort
    ? imported.flatMap((service) => onPort(service, bind.port, bind.protocol) ?? [])
    : imported;
  return listing(
    servicesOf(services, visible.services),
    importedVirtualServices(visible.virtualServices, hosts, clusterDomain),
    clusterDomain,
  );
}

function portOf(entry: IstioEgressListener, visible: Visible): EgressPort {
  const read = egressBindOf(entry);
  const bind = internBind(JSON.stringify(read), () => Object.freeze(read));
  return egressPort(listingOf(entry, bind, visible), bind);
}

/** Which ports of which hosts clusters are needed for; `all` goes before a list. */
type Needed = Map<string, 'all' | Set<number>>;

function need(needed: Needed, host: string, port: number | 'all'): void {
  const known = needed.get(host);
  if (port === 'all') needed.set(host, 'all');
  else if (known === undefined) needed.set(host, new Set([port]));
  else if (known !== 'all') known.add(port);
}

/** Services that are listed, and those that routes lead to whose VirtualService is imported (Istio adds them too). */
function reachable(common: Listing, ports: readonly EgressPort[], proxyHost: string | undefined, visible: Visible) {
  const needed: Needed = new Map();
  for (const host of common.services.keys()) need(needed, host, 'all');
  for (const { bind, listing: own } of ports)
    for (const host of own.services.keys()) need(needed, host, bind.ofOnePort ? bind.port : 'all');
  for (const { virtualServices } of listingsOf({ common, ports }))
    for (const vs of virtualServices)
      if (leadsFromMesh(vs)) for (const host of destinationHosts(vs, visible.clusterDomain)) need(needed, host, 'all');
  if (proxyHost) need(needed, proxyHost, 'all');
  const found = [...needed.keys()].sort().flatMap((host) => {
    const service = visible.services.get(host);
    const which = needed.get(host);
    if (!service || which === undefined) return [];
    return which === 'all' ? service : withPorts(service, [...which].sort((a, b) => a - b).join(','));
  });
  return servicesOf(found, visible.services);
}

function leadsFromMesh({ spec }: VirtualService): boolean {
  return !spec.gateways?.length || spec.gateways.includes('mesh');
}

/** The host that `outboundTrafficPolicy.egressProxy` names, completed against the Sidecar's namespace. */
export function egressProxyHost(sidecar: Sidecar, clusterDomain: string): string | undefined {
  const proxy = sidecar.spec.outboundTrafficPolicy?.egressProxy;
  return proxy && fullyQualify(proxy.host, sidecar.metadata.namespace, clusterDomain);
}

/**
 * What a client may call: what is visible to its namespace, cut down to the `egress` of its Sidecar. Equal parts are one
 * object, so that what happens to hidden services leaves what is compiled from these alone.
 * @param services visible to the namespace
 * @param virtualServices visible to the namespace, oldest first
 */
export const egressOf = memo(
  'egress',
  (
    services: Services,
    virtualServices: readonly VirtualService[],
    sidecar: Sidecar | undefined,
    namespace: string,
    clusterDomain: string,
  ): Egress => {
    const entries = sidecar?.spec.egress ?? nothing;
    if (!sidecar || entries.length === 0) return wholeMesh(services, virtualServices, clusterDomain);
    const visible: Visible = { services, virtualServices, namespace, clusterDomain };
    const ports = internPorts(entries.filter((entry) => entry.port).map((entry) => portOf(entry, visible)));
    const common = listingOf(
      entries.find((entry) => !entry.port),
      undefined,
      visible,
    );
    const all = reachable(common, ports, egressProxyHost(sidecar, clusterDomain), visible);
    return Object.freeze({ common, ports: ports.length > 0 ? ports : noPorts, services: all });
  },
);

/** Every listing of a client. */
export function listingsOf({ common, ports }: Pick<Egress, 'common' | 'ports'>): readonly Listing[] {
  return [common, ...ports.map((port) => port.listing)];
}
