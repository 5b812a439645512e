import { type DestinationFacts, destinationHosts } from '@seine/compile';
import type { VirtualService } from '@seine/istio';
import { memo } from '@seine/memo';
import { hostMatches, isHttp, type MeshConfig, type MeshService } from '@seine/model';
import type { Egress, EgressPort, Listing } from './egress.js';
import { factsFor, type RuleTable, type Services } from './visibility.js';
import { virtualServiceFor, type VirtualServiceIndex } from './virtual-services.js';

/** A port of a service that has routes of its own. */
export type HostPort = readonly [host: string, port: number];

/** One virtual host before it is known who asks: what all clients share. Same content, same object. */
export interface HostPlan {
  /** Holds what names the host: changes only when the service or the host does. */
  readonly name: HostName;
  readonly virtualService: VirtualService | undefined;
  readonly facts: readonly DestinationFacts[];
}

export interface HostName {
  readonly host: string;
  readonly port: number;
  readonly service: MeshService | undefined;
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

/** What routes may lead to, and how it is called. */
export interface Reach {
  readonly services: Services;
  readonly rules: RuleTable;
  readonly config: MeshConfig;
}

const portPlansOf = memo(
  'portPlans',
  (listing: Listing, services: Services, rules: RuleTable, config: MeshConfig, port: number): readonly HostPlan[] => {
    const reach = { services, rules, config };
    const plans: HostPlan[] = [];
    for (const service of listing.services.values())
      if (servesHttp(service, port)) plans.push(servicePlan(service, port, listing.index, reach));
    if (port === defaultHttpPort)
      for (const [host, vs] of bareHosts(listing.index, listing.services)) plans.push(barePlan(host, vs, reach));
    return plans;
  },
);

/** The virtual hosts of one port. */
export function portPlans(listing: Listing, { services, rules, config }: Reach, port: number): readonly HostPlan[] {
  return portPlansOf(listing, services, rules, config, port);
}

export function servicePlan(
  service: MeshService,
  port: number,
  index: VirtualServiceIndex,
  { services, rules, config }: Reach,
): HostPlan {
  const vs = virtualServiceFor(index, service.host);
  const hosts = vs ? [service.host, ...hostsNamedBy(vs, config.clusterDomain)] : [service.host];
  return plan(hostName(service, service.host, port), factsFor(vs ?? service, hosts, services, rules), vs);
}

function barePlan(host: string, vs: VirtualService, { services, rules, config }: Reach): HostPlan {
  const facts = factsFor(vs, hostsNamedBy(vs, config.clusterDomain), services, rules);
  return plan(hostName(noService, host, defaultHttpPort), facts, vs);
}

const allPlansOf = memo(
  'allPlans',
  (
    common: Listing,
    ports: readonly EgressPort[],
    services: Services,
    rules: RuleTable,
    config: MeshConfig,
  ): readonly HostPlan[] => {
    const reach = { services, rules, config };
    const numbers = new Set([...httpPortsOf({ common, ports }), defaultHttpPort]);
    return [...numbers].flatMap((port) => portPlans(listingOfPort({ common, ports }, port), reach, port));
  },
);

/** Every HTTP port of every service in one list: what the explicit HTTP proxy serves. */
export function allPlans({ common, ports }: Listings, { services, rules, config }: Reach): readonly HostPlan[] {
  return allPlansOf(common, ports, services, rules, config);
}

type Listings = Pick<Egress, 'common' | 'ports'>;

const httpPorts = memo('httpPorts', (services: Services): readonly number[] => {
  const ports = new Set<number>();
  for (const service of services.values())
    for (const { port } of service.ports) if (servesHttp(service, port)) ports.add(port);
  return [...ports].sort((a, b) => a - b);
});

/** Whether the listener of a port that a Sidecar names has a chain for HTTP, whose routes have the port's name. */
const speaksHttp = memo('egressSpeaksHttp', ({ bind, listing }: EgressPort): boolean => {
  if (!bind.ofOnePort) return false;
  return bind.protocol ? isHttp(bind.protocol) : httpPorts(listing.services).length > 0;
});

/** What the routes of a port lead to: what the first HTTP entry that names it lists, else what is listed in common. */
export function listingOfPort({ common, ports }: Listings, port: number): Listing {
  return ports.find((entry) => entry.bind.port === port && speaksHttp(entry))?.listing ?? common;
}

/** The ports that a Sidecar names and that have listeners for HTTP, each once. */
export function namedHttpPorts(ports: readonly EgressPort[]): readonly number[] {
  return [...new Set(ports.filter(speaksHttp).map(({ bind }) => bind.port))];
}

/** The ports on which some listed service speaks HTTP or may do so, and those where a listener does; ascending. */
export function httpPortsOf({ common, ports }: Listings): readonly number[] {
  const ofCommon = httpPorts(common.services);
  if (ports.length === 0) return ofCommon;
  return [...new Set([...ofCommon, ...namedHttpPorts(ports)])].sort((a, b) => a - b);
}

/**
 * Ports of services with the listing that they are in; what a Sidecar says of a port comes before what it says in common.
 * @param portsOf picks them, in the order in which they come
 */
export function listedPorts(
  { common, ports }: Listings,
  portsOf: (services: Services) => readonly HostPort[],
): readonly { readonly listing: Listing; readonly host: string; readonly port: number }[] {
  const named = ports.filter(({ bind }) => bind.ofOnePort).map(({ listing }) => listing);
  return [...named, common].flatMap((listing) =>
    portsOf(listing.services).map(([host, port]) => ({ listing, host, port })),
  );
}
