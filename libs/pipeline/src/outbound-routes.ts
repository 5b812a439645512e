import {
  catchAllVirtualHost,
  dedupeDomains,
  type DomainPorts,
  emitVirtualHost,
  httpProxyRouteName,
  isUnixSocket,
  type OutboundFallback,
  type RouteClient,
  routeConfigurationShell,
  sidecarDomains,
  spliceRouteConfiguration,
  virtualServiceDomains,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { VirtualService } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import { contentHash, type Resource, resource } from '@seine/snapshot';
import { type Listing, noPorts } from './egress.js';
import {
  allPlans,
  type HostName,
  type HostPlan,
  type HostPort,
  httpPortsOf,
  listedPorts,
  listingOfPort,
  namedHttpPorts,
  portPlans,
  servicePlan,
} from './host-plans.js';
import type { Scope } from './scope.js';
import type { RuleTable, Services } from './visibility.js';

/** Who asks for routes, as far as routes can tell clients apart. */
export interface RouteScope {
  readonly namespace: string;
  /** Cut down to the labels that some `sourceLabels` tests. */
  readonly labels: Readonly<Record<string, string>>;
  /** See RouteClient. */
  readonly namesItself?: boolean;
}

interface EncodedHost {
  readonly bytes: Buffer;
  readonly hash: string;
}

const domainsOf = memo(
  'domains',
  (name: HostName, bareNames: readonly string[] | undefined, ports: DomainPorts): readonly string[] =>
    name.service
      ? sidecarDomains(name.service, name.port, { bareNames, ports })
      : virtualServiceDomains(name.host, name.port, ports),
);

const internHosts = internByKey<readonly string[]>(8192);

/** Which of a service's hosts a client may call by their bare names: those of its own namespace. */
function bareNamesOf({ host, service }: HostName, namespace: string): readonly string[] | undefined {
  const hosts = service?.aliases ? [host, ...service.aliases] : [host];
  const own = hosts.filter((name) => hostNamespace(name) === namespace);
  return own.length === 0 ? undefined : internHosts(own.join('\0'), () => Object.freeze(own));
}

interface NamedDomains {
  readonly index: number;
  readonly domains: readonly string[];
}

/** `default` of `reviews.default.svc.cluster.local`: short names are completed by what the host says, whoever declared it. */
function hostNamespace(host: string): string | undefined {
  const [, namespace, svc] = host.split('.', 3);
  return svc === 'svc' ? namespace : undefined;
}

const internNames = internList();

/** Domains of each host, without clashes; an empty entry has lost them all. Depends on names only: no route change touches it. */
const domainTable = memo(
  'domainTable',
  (names: readonly HostName[], namespace: string, ports: DomainPorts): readonly (readonly string[])[] => {
    const entries = names.map((name, index): NamedDomains => ({
      index,
      domains: domainsOf(name, bareNamesOf(name, namespace), ports),
    }));
    const table: (readonly string[])[] = names.map(() => []);
    for (const { index, domains } of dedupeDomains(entries)) table[index] = domains;
    return table;
  },
);

const internClient = internByKey<RouteClient>(4096);

/** The client as far as this VirtualService can tell clients apart. */
const clientFor = memo('clientFor', (scope: RouteScope, virtualService: VirtualService | undefined): RouteClient => {
  const matches = (virtualService?.spec.http ?? []).flatMap((route) => route.match ?? []);
  const namespace = matches.some((match) => match.sourceNamespace !== undefined) ? scope.namespace : '';
  const labels = matches.some((match) => match.sourceLabels !== undefined) ? scope.labels : {};
  const { namesItself = false } = scope;
  return internClient(JSON.stringify([namespace, labels, namesItself]), () =>
    Object.freeze({ gateway: 'mesh', namespace, labels, namesItself }),
  );
});

const encodedHost = memo(
  'virtualHost',
  (
    host: HostPlan,
    domains: readonly string[],
    client: RouteClient,
    config: MeshConfig,
    connect: boolean,
  ): EncodedHost | undefined => {
    const message = emitVirtualHost({
      name: `${host.name.host}:${host.name.port}`,
      domains,
      port: host.name.port,
      service: host.name.service,
      virtualService: host.virtualService,
      destinations: host.facts,
      client,
      config,
      connect,
    });
    if (!message) return undefined;
    const bytes = encodeResource(VirtualHostSchema, message);
    return { bytes, hash: contentHash(bytes) };
  },
);

const catchAll = memo('catchAll', (fallback: OutboundFallback, connect: boolean): EncodedHost => {
  const bytes = encodeResource(VirtualHostSchema, catchAllVirtualHost(fallback, connect));
  return { bytes, hash: contentHash(bytes) };
});

/**
 * Virtual hosts are looked up and joined in blocks, so that one changed route costs one block's look-ups in each
 * namespace and not those of all hosts.
 */
const blockSize = 32;

interface Block {
  readonly plans: readonly HostPlan[];
  readonly domains: readonly (readonly string[])[];
}

const internPlans = internList();
const internDomains = internList();
const block = memo('hostBlock', (plans: readonly HostPlan[], domains: readonly (readonly string[])[]): Block =>
  Object.freeze({ plans, domains }),
);

function inBlocks<T extends object>(
  items: readonly T[],
  intern: (items: readonly T[]) => readonly T[],
): readonly (readonly T[])[] {
  const blocks: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += blockSize) blocks.push(intern(items.slice(i, i + blockSize)));
  return blocks;
}

const planBlocks = memo('planBlocks', (plans: readonly HostPlan[]) => inBlocks(plans, internPlans));
const nameList = memo('nameList', (plans: readonly HostPlan[]) => internNames(plans.map((p) => p.name)));
const domainBlocks = memo('domainBlocks', (names: readonly HostName[], namespace: string, ports: DomainPorts) =>
  inBlocks(domainTable(names, namespace, ports), internDomains),
);

/** The virtual hosts of one block, encoded and joined. */
const encodedBlock = memo(
  'encodedBlock',
  ({ plans, domains }: Block, scope: RouteScope, config: MeshConfig, connect: boolean): readonly EncodedHost[] =>
    plans.flatMap((host, i) => {
      const own = domains[i] ?? [];
      if (own.length === 0) return [];
      return encodedHost(host, own, clientFor(scope, host.virtualService), config, connect) ?? [];
    }),
);

const blockHash = memo('blockHash', (hosts: readonly EncodedHost[]): string =>
  contentHash(...hosts.map((host) => host.hash)),
);

const routeConfiguration = memo(
  'routeConfiguration',
  (
    plans: readonly HostPlan[],
    scope: RouteScope,
    fallback: OutboundFallback,
    config: MeshConfig,
    name: string,
    ports: DomainPorts,
  ): Resource => {
    const domains = domainBlocks(nameList(plans), scope.namespace, ports);
    const blocks = planBlocks(plans).map((part, i) =>
      encodedBlock(block(part, domains[i] ?? []), scope, config, ports === 'required'),
    );
    const last = catchAll(fallback, ports === 'required');
    const shell = routeConfigurationShell(name, { ignorePort: ports === 'ignored' });
    const bytes: Buffer[] = [];
    for (const hosts of blocks) for (const host of hosts) bytes.push(host.bytes);
    bytes.push(last.bytes);
    const version = contentHash(name, ports, ...blocks.map(blockHash), last.hash);
    return resource(name, spliceRouteConfiguration(shell, bytes), version);
  },
);

/** Ports whose HTTP is found by sniffing: on a service's own address they have routes of their own. */
const sniffedPorts = memo('sniffedPorts', (services: Services): readonly HostPort[] =>
  [...services.values()].flatMap((service) =>
    service.ports.filter(({ protocol }) => protocol === 'auto').map(({ port }) => [service.host, port] as const),
  ),
);

/** The RouteConfigurations of iptables mode: one a port, `9080`, and one for each sniffed port of a service, `host:port`. */
export function portRoutes(scope: Scope): readonly Resource[] {
  const { egress, routes, config, fallback } = scope;
  const shared = httpPortsOf(egress).map((port) => {
    const plans = portPlans(listingOfPort(egress, port), scope, port);
    return routeConfiguration(plans, routes, fallback, config, String(port), 'ignored');
  });
  const own = listedPorts(egress, sniffedPorts).flatMap(
    ({ listing, host, port }) => hostRoutes(listing, scope, host, port) ?? [],
  );
  return [...shared, ...own, ...egressRoutes(scope)];
}

/** The one RouteConfiguration of the explicit HTTP proxy. */
export function httpProxyRoutes({ egress, routes, config, fallback, ...reach }: Scope): Resource {
  // A Sidecar may say what is reached by HTTP proxy.
  const own = egress.ports.find(({ bind }) => bind.httpProxy);
  const plans = allPlans(own ? { common: own.listing, ports: noPorts } : egress, { ...reach, config });
  return routeConfiguration(plans, routes, fallback, config, httpProxyRouteName, 'required');
}

/** The routes of the ports that egress listeners name, where nothing else needs routes by port. */
export function egressPortRoutes(scope: Scope): readonly Resource[] {
  const { egress, routes, config, fallback } = scope;
  return namedHttpPorts(egress.ports).map((port) => {
    const plans = portPlans(listingOfPort(egress, port), scope, port);
    return routeConfiguration(plans, routes, fallback, config, String(port), 'ignored');
  });
}

/** The routes of egress listeners that are not of one port: Unix sockets, named by their path, and HTTP proxies. */
export function egressRoutes(scope: Scope): readonly Resource[] {
  const { egress, routes, config, fallback } = scope;
  return egress.ports.flatMap(({ bind, listing }) => {
    if (bind.httpProxy) return [httpProxyRoutes(scope)];
    if (bind.bind === undefined || !isUnixSocket(bind.bind)) return [];
    const plans = allPlans({ common: listing, ports: noPorts }, scope);
    return [routeConfiguration(plans, routes, fallback, config, bind.bind, 'both')];
  });
}

const anyDomain: readonly string[] = ['*'];

const hostRoutesOf = memo(
  'hostRoutes',
  (
    listing: Listing,
    services: Services,
    rules: RuleTable,
    scope: RouteScope,
    config: MeshConfig,
    host: string,
    port: number,
  ): Resource | undefined => {
    const service = listing.services.get(host);
    if (!service) return undefined;
    const only = servicePlan(service, port, listing.index, { services, rules, config });
    const encoded = encodedHost(only, anyDomain, clientFor(scope, only.virtualService), config, false);
    if (!encoded) return undefined;
    const name = `${host}:${port}`;
    return resource(
      name,
      spliceRouteConfiguration(routeConfigurationShell(name), [encoded.bytes]),
      contentHash(name, encoded.hash),
    );
  },
);

/** One service's own RouteConfiguration, `host:port`: for loopback listeners and for clients that have no sidecar. */
export function hostRoutes(
  listing: Listing,
  { services, rules, routes, config }: Scope,
  host: string,
  port: number,
): Resource | undefined {
  return hostRoutesOf(listing, services, rules, routes, config, host, port);
}
