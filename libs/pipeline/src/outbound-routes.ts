import {
  catchAllVirtualHost,
  dedupeDomains,
  type DestinationFacts,
  destinationHosts,
  type DomainPorts,
  emitVirtualHost,
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
import { hostMatches, isHttp, type MeshConfig, type MeshService } from '@seine/model';
import { contentHash, type Resource, resource } from '@seine/snapshot';
import { factsFor, type RuleTable, type Services } from './visibility.js';
import { virtualServiceFor, type VirtualServiceIndex } from './virtual-services.js';

/** Who asks for routes, as far as routes can tell clients apart. */
export interface RouteScope {
  readonly namespace: string;
  /** Cut down to the labels that some `sourceLabels` tests. */
  readonly labels: Readonly<Record<string, string>>;
}

/** One virtual host before it is known who asks: what all clients share. Same content, same object. */
interface HostPlan {
  /** Holds what names the host: changes only when the service or the host does. */
  readonly name: HostName;
  readonly virtualService: VirtualService | undefined;
  readonly facts: readonly DestinationFacts[];
}

interface HostName {
  readonly host: string;
  readonly port: number;
  readonly service: MeshService | undefined;
}

interface EncodedHost {
  readonly bytes: Buffer;
  readonly hash: string;
}

const noService = Object.freeze({});
const hostName = memo('hostName', (service: object, host: string, port: number): HostName =>
  Object.freeze({ host, port, service: service === noService ? undefined : (service as MeshService) }),
);
const plan = memo(
  'hostPlan',
  (name: HostName, facts: readonly DestinationFacts[], virtualService: VirtualService | undefined): HostPlan =>
    Object.freeze({ name, virtualService, facts }),
);
const hostsNamedBy = memo('hostsNamedBy', (vs: VirtualService, clusterDomain: string) =>
  destinationHosts(vs, clusterDomain),
);

/** HTTP, or sniffed: then an HTTP chain exists too. */
function servesHttp(service: MeshService, port: number): boolean {
  return service.ports.some((p) => p.port === port && (isHttp(p.protocol) || p.protocol === 'auto'));
}

/** The port that hosts without a service answer on (Istio: only plain HTTP's own). */
const defaultHttpPort = 80;

/** Hosts that only VirtualServices name, once each. */
const bareHosts = memo(
  'bareHosts',
  (index: VirtualServiceIndex, services: Services): readonly (readonly [string, VirtualService])[] => {
    const hosts = [...services.keys()];
    return [
      ...[...index.exact].filter(([host]) => !services.has(host)),
      ...index.wildcards.filter(([pattern]) => !hosts.some((host) => hostMatches(pattern, host))),
    ];
  },
);

const portPlans = memo(
  'portPlans',
  (
    services: Services,
    rules: RuleTable,
    index: VirtualServiceIndex,
    config: MeshConfig,
    port: number,
  ): readonly HostPlan[] => {
    const plans: HostPlan[] = [];
    for (const service of services.values())
      if (servesHttp(service, port)) plans.push(servicePlan(service, port, services, rules, index, config));
    if (port === defaultHttpPort)
      for (const [host, vs] of bareHosts(index, services)) plans.push(barePlan(host, vs, services, rules, config));
    return plans;
  },
);

function servicePlan(
  service: MeshService,
  port: number,
  services: Services,
  rules: RuleTable,
  index: VirtualServiceIndex,
  config: MeshConfig,
): HostPlan {
  const vs = virtualServiceFor(index, service.host);
  const hosts = vs ? [service.host, ...hostsNamedBy(vs, config.clusterDomain)] : [service.host];
  return plan(hostName(service, service.host, port), factsFor(vs ?? service, hosts, services, rules), vs);
}

function barePlan(
  host: string,
  vs: VirtualService,
  services: Services,
  rules: RuleTable,
  config: MeshConfig,
): HostPlan {
  const facts = factsFor(vs, hostsNamedBy(vs, config.clusterDomain), services, rules);
  return plan(hostName(noService, host, defaultHttpPort), facts, vs);
}

/** Every HTTP port of every service in one list: what the explicit HTTP proxy serves. */
const allPlans = memo(
  'allPlans',
  (services: Services, rules: RuleTable, index: VirtualServiceIndex, config: MeshConfig): readonly HostPlan[] => {
    const ports = httpPorts(services);
    const plans = ports.flatMap((port) => portPlans(services, rules, index, config, port));
    return ports.includes(defaultHttpPort)
      ? plans
      : [...plans, ...portPlans(services, rules, index, config, defaultHttpPort)];
  },
);

/** The ports on which some visible service speaks HTTP or may do so, ascending. */
export const httpPorts = memo('httpPorts', (services: Services): readonly number[] => {
  const ports = new Set<number>();
  for (const service of services.values())
    for (const { port } of service.ports) if (servesHttp(service, port)) ports.add(port);
  return [...ports].sort((a, b) => a - b);
});

const domainsOf = memo('domains', (name: HostName, sameNamespace: boolean, ports: DomainPorts): readonly string[] =>
  name.service
    ? sidecarDomains(name.service, name.port, { sameNamespace, ports })
    : virtualServiceDomains(name.host, name.port, ports),
);

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
      domains: domainsOf(name, hostNamespace(name.host) === namespace, ports),
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
  return internClient(JSON.stringify([namespace, labels]), () => Object.freeze({ gateway: 'mesh', namespace, labels }));
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

const catchAll = memo('catchAll', (config: MeshConfig): EncodedHost => {
  const bytes = encodeResource(VirtualHostSchema, catchAllVirtualHost(config.outboundTrafficPolicy));
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
  (plans: readonly HostPlan[], scope: RouteScope, config: MeshConfig, name: string, ports: DomainPorts): Resource => {
    const domains = domainBlocks(nameList(plans), scope.namespace, ports);
    const blocks = planBlocks(plans).map((part, i) =>
      encodedBlock(block(part, domains[i] ?? []), scope, config, ports === 'required'),
    );
    const last = catchAll(config);
    const shell = routeConfigurationShell(name, { ignorePort: ports === 'ignored' });
    const bytes: Buffer[] = [];
    for (const hosts of blocks) for (const host of hosts) bytes.push(host.bytes);
    bytes.push(last.bytes);
    const version = contentHash(name, ports, ...blocks.map(blockHash), last.hash);
    return resource(name, spliceRouteConfiguration(shell, bytes), version);
  },
);

/** Ports whose HTTP is found by sniffing: on a service's own address they have routes of their own. */
const sniffedPorts = memo('sniffedPorts', (services: Services): readonly (readonly [host: string, port: number])[] =>
  [...services.values()].flatMap((service) =>
    service.ports.filter(({ protocol }) => protocol === 'auto').map(({ port }) => [service.host, port] as const),
  ),
);

/** The RouteConfigurations of iptables mode: one a port, `9080`, and one for each sniffed port of a service, `host:port`. */
export function portRoutes(
  services: Services,
  rules: RuleTable,
  index: VirtualServiceIndex,
  scope: RouteScope,
  config: MeshConfig,
): readonly Resource[] {
  const shared = httpPorts(services).map((port) =>
    routeConfiguration(portPlans(services, rules, index, config, port), scope, config, String(port), 'ignored'),
  );
  const own = sniffedPorts(services).flatMap(
    ([host, port]) => hostRoutes(services, rules, index, scope, config, host, port) ?? [],
  );
  return [...shared, ...own];
}

/** The one RouteConfiguration of the explicit HTTP proxy. */
export function httpProxyRoutes(
  services: Services,
  rules: RuleTable,
  index: VirtualServiceIndex,
  scope: RouteScope,
  config: MeshConfig,
): Resource {
  return routeConfiguration(allPlans(services, rules, index, config), scope, config, 'http_proxy', 'required');
}

const anyDomain: readonly string[] = ['*'];

/** One service's own RouteConfiguration, `host:port`: for loopback listeners and for clients that have no sidecar. */
export const hostRoutes = memo(
  'hostRoutes',
  (
    services: Services,
    rules: RuleTable,
    index: VirtualServiceIndex,
    scope: RouteScope,
    config: MeshConfig,
    host: string,
    port: number,
  ): Resource | undefined => {
    const service = services.get(host);
    if (!service) return undefined;
    const only = servicePlan(service, port, services, rules, index, config);
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
