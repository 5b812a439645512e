import {
  addNetworkExtensions,
  autoAllocate,
  chainContext,
  type ChainPolicies,
  type ChainRole,
  destinationHosts,
  emitDnsListener,
  emitEgressListener,
  emitOutboundListener,
  emitVirtualOutbound,
  hasNetworkExtensions,
  type DestinationFacts,
  type OutboundFallback,
  type RouteClient,
  tcpRuleOf,
  withAllocatedAddress,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { DestinationRule, VirtualService } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { MeshConfig, MeshService, ServiceEndpoints } from '@seine/model';
import { type Resource, resource, ResourceSet } from '@seine/snapshot';
import type { EgressPort, Listing } from './egress.js';
import type { Endpoints } from './outbound-clusters.js';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import { factsFor, type RuleTable, type Services } from './visibility.js';

export function encodeListener(listener: Listener): Resource {
  return resource(listener.name, encodeResource(ListenerSchema, listener));
}

/** Encodes the listeners of one side of a proxy, with the network filters that policies add to their chains. */
export function listenerEncoder(role: ChainRole, policies: ChainPolicies, config: MeshConfig) {
  if (!hasNetworkExtensions(policies)) return encodeListener;
  const context = chainContext(role, { policies, config });
  return (listener: Listener): Resource => encodeListener(addNetworkExtensions(listener, context));
}

const internServices = internList();
const internVirtualServices = internList();
const internClient = internByKey<RouteClient>(4096);

/** Services by port, each list sorted by host and interned: a port's listener reads its own list and no other. */
const servicesByPort = memo('servicesByPort', (services: Services): ReadonlyMap<number, readonly MeshService[]> => {
  const byPort = new Map<number, MeshService[]>();
  for (const service of services.values())
    for (const { port } of service.ports) {
      const list = byPort.get(port) ?? [];
      if (list.at(-1) !== service) list.push(service);
      byPort.set(port, list);
    }
  const sorted = [...byPort].sort(([a], [b]) => a - b);
  return new Map(
    sorted.map(([port, list]) => [port, internServices([...list].sort((a, b) => (a.host < b.host ? -1 : 1)))]),
  );
});

/** VirtualServices that say something about TCP or TLS, so that HTTP route changes leave the listeners alone. */
export const l4VirtualServices = memo(
  'l4VirtualServices',
  (all: readonly VirtualService[]): readonly VirtualService[] =>
    internVirtualServices(
      all.filter((vs) => {
        const gateways = vs.spec.gateways ?? [];
        const matchesMesh = [...(vs.spec.tcp ?? []), ...(vs.spec.tls ?? [])].some((route) =>
          route.match?.some((m) => m.gateways?.includes('mesh')),
        );
        return (
          (vs.spec.tcp?.length || vs.spec.tls?.length) &&
          (gateways.length === 0 || gateways.includes('mesh') || matchesMesh)
        );
      }),
    ),
);

/** What L4 routes may read of a client: nothing, where there are none. */
export interface L4Scope {
  readonly l4: readonly VirtualService[];
  readonly facts: readonly DestinationFacts[];
  readonly client: RouteClient;
  readonly rules: TcpRules;
}

type TcpRules = ReadonlyMap<string, DestinationRule>;
type TcpEntry = readonly [host: string, rule: DestinationRule];

/** @param listing behind the listener: its VirtualServices */
export function l4Scope(listing: Listing, scope: Scope): L4Scope {
  const l4 = l4VirtualServices(listing.virtualServices);
  const hosts = [...new Set(l4.flatMap((vs) => destinationHosts(vs, scope.config.clusterDomain)))];
  const { namespace, labels } = l4.length > 0 ? scope.routes : { namespace: '', labels: {} };
  const client = internClient(JSON.stringify([namespace, labels]), () =>
    Object.freeze({ gateway: 'mesh', namespace, labels }),
  );
  const rules = tcpRules(scope.rules);
  return { l4, facts: factsFor(l4, hosts, scope.services, rules), client, rules };
}

const internEntries = internList();
const tcpEntry = memo('tcpEntry', (rule: DestinationRule, host: string): TcpEntry => Object.freeze([host, rule]));
const tcpRuleMap = memo('tcpRuleMap', (entries: readonly TcpEntry[]): TcpRules => new Map(entries));

/** What rules say of TCP connections, by host: as good as always nothing. The same map for rules that say the same. */
const tcpRules = memo('tcpRules', (rules: RuleTable): TcpRules => {
  const entries: TcpEntry[] = [];
  for (const [host, rule] of rules.entries()) {
    const own = tcpRuleOf(rule);
    if (own) entries.push(tcpEntry(own, host));
  }
  return tcpRuleMap(internEntries<TcpEntry>(entries));
});

const internFacts = internList();

/** What listeners know of destinations, and of those services besides that have a rule for TCP connections. */
export function withServices(
  { facts, rules }: L4Scope,
  listed: Services | readonly MeshService[],
): readonly DestinationFacts[] {
  if (rules.size === 0) return facts;
  const services = Array.isArray(listed) ? (listed as readonly MeshService[]) : [...(listed as Services).values()];
  const more = services.filter(({ host }) => rules.has(host) && !facts.some((known) => known.host === host));
  if (more.length === 0) return facts;
  const byHost = new Map(more.map((service) => [service.host, service]));
  return internFacts([...facts, ...factsFor(rules, [...byHost.keys()], byHost, rules)]);
}

const portListeners = memo(
  'outboundListener',
  (
    services: readonly MeshService[],
    l4: readonly VirtualService[],
    destinations: readonly DestinationFacts[],
    client: RouteClient,
    policies: ChainPolicies,
    fallback: OutboundFallback,
    config: MeshConfig,
    port: number,
  ): readonly Resource[] =>
    emitOutboundListener({
      port,
      services,
      l4VirtualServices: l4,
      destinations,
      client,
      policies,
      fallback,
      config,
    }).map(listenerEncoder('outbound', policies, config)),
);

const virtualOutbound = memo(
  'virtualOutbound',
  (policies: ChainPolicies, fallback: OutboundFallback, config: MeshConfig): Resource =>
    listenerEncoder(
      'outbound',
      policies,
      config,
    )(emitVirtualOutbound(fallback, chainContext('outbound', { policies, config }))),
);

/** Services with the addresses that DNS capture gives to those without: a client with it sees these instead. */
export const withAddresses = memo('withAddresses', (services: Services): Services => {
  const allocated = autoAllocate(services.values());
  const seen = [...services].map(
    ([host, service]) => [host, withAllocatedAddress(service, allocated.get(host))] as const,
  );
  return seen.every(([host, service]) => service === services.get(host)) ? services : new Map(seen);
});

const outboundSet = memo(
  'outboundListenerSet',
  (
    services: Services,
    l4: readonly VirtualService[],
    facts: readonly DestinationFacts[],
    client: RouteClient,
    rules: TcpRules,
    policies: ChainPolicies,
    fallback: OutboundFallback,
    config: MeshConfig,
    except: readonly number[],
  ): ResourceSet => {
    const all: Resource[] = [virtualOutbound(policies, fallback, config)];
    for (const [port, list] of servicesByPort(services))
      if (!except.includes(port)) {
        const known = withServices({ l4, facts, client, rules }, list);
        all.push(...portListeners(list, l4, known, client, policies, fallback, config, port));
      }
    return internSet(all);
  },
);

const dnsListener = memo(
  'dnsListener',
  (services: Services, headless: readonly ServiceEndpoints[], namespace: string): Resource =>
    encodeListener(emitDnsListener({ services: [...services.values()], headless, namespace })),
);

const internEndpoints = internList();

/** The endpoints that DNS tells of, as one list for equal ones: those of headless Services, whose names are their pods. */
export function headlessEndpoints(services: Services, endpoints: Endpoints): readonly ServiceEndpoints[] {
  const found = [...services.values()].flatMap(({ host, headless, registry }) =>
    headless && registry === 'kubernetes' ? (endpoints.get(host) ?? []) : [],
  );
  return internEndpoints(found);
}

/**
 * The outbound listeners of iptables mode.
 * @param headless where the proxy serves DNS: what `headlessEndpoints` gives
 */
export function outboundListeners(
  scope: Scope,
  policies: ChainPolicies,
  headless: readonly ServiceEndpoints[] | undefined,
): ResourceSet {
  const dnsCapture = headless !== undefined;
  const { egress, config, fallback } = scope;
  const seen = dnsCapture ? withAddresses(scope.services) : scope.services;
  const services = listedIn(seen, egress.common.services, scope.services);
  const { l4, facts, client, rules } = l4Scope(egress.common, scope);
  const set = outboundSet(services, l4, facts, client, rules, policies, fallback, config, capturedPorts(egress.ports));
  const all = egress.ports.length > 0 ? withEgressPorts(set, scope, seen, policies) : set;
  return dnsCapture ? withDns(all, dnsListener(seen, headless, scope.routes.namespace)) : all;
}

/** Services of a listing as `seen` has them, where that differs from `known`. */
function listedIn(seen: Services, listed: Services, known: Services): Services {
  if (seen === known || listed.size === 0) return listed;
  return listed === known ? seen : addressed(listed, seen);
}

const addressed = memo(
  'addressedServices',
  (listed: Services, seen: Services): Services =>
    new Map(
      [...listed].map(([host, service]) => {
        const addresses = seen.get(host)?.addresses ?? service.addresses;
        return [host, addresses === service.addresses ? service : Object.freeze({ ...service, addresses })];
      }),
    ),
);

/** Ports of which a Sidecar says what is listed; one list for none. */
const capturedPorts = memo('capturedPorts', (ports: readonly EgressPort[]): readonly number[] =>
  Object.freeze(ports.filter(({ bind }) => bind.captured).map(({ bind }) => bind.port)),
);

function withEgressPorts(set: ResourceSet, scope: Scope, seen: Services, policies: ChainPolicies): ResourceSet {
  const captured = scope.egress.ports.filter(({ bind }) => bind.captured);
  const own = captured.flatMap(({ bind, listing }) => {
    const services = listedIn(seen, listing.services, scope.services);
    const l4Of = l4Scope(listing, scope);
    const list = servicesByPort(services).get(bind.port);
    if (!list) return [];
    const { l4, client } = l4Of;
    return portListeners(list, l4, withServices(l4Of, list), client, policies, scope.fallback, scope.config, bind.port);
  });
  return internSet([...set, ...own, ...egressListeners(scope, policies, localhost)]);
}

const localhost = '127.0.0.1';

const egressListener = memo(
  'egressListener',
  (
    port: EgressPort,
    l4: readonly VirtualService[],
    destinations: readonly DestinationFacts[],
    client: RouteClient,
    policies: ChainPolicies,
    config: MeshConfig,
    explicit: boolean,
    loopback: string,
  ): Resource | undefined => {
    const { bind, listing } = port;
    const services = [...listing.services.values()];
    const scope = { services, l4VirtualServices: l4, destinations, client, policies, config };
    const listener = emitEgressListener({ bind, explicit, loopback, ...scope });
    return listener && listenerEncoder('outbound', policies, config)(listener);
  },
);

/**
 * The listeners of a Sidecar's egress entries that have an address of their own.
 * @param loopback where those stand that state none
 */
export function egressListeners(scope: Scope, policies: ChainPolicies, loopback: string): readonly Resource[] {
  const explicit = scope.kind.withoutOriginalDestination;
  return scope.egress.ports.flatMap((port) => {
    if (port.bind.captured && !explicit) return [];
    const l4Of = l4Scope(port.listing, scope);
    const facts = withServices(l4Of, port.listing.services);
    return egressListener(port, l4Of.l4, facts, l4Of.client, policies, scope.config, explicit, loopback) ?? [];
  });
}

const withDns = memo('withDns', (set: ResourceSet, dns: Resource): ResourceSet => ResourceSet.of([...set, dns]));
