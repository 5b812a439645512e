import {
  autoAllocate,
  chainContext,
  type ChainPolicies,
  emitDnsListener,
  emitOutboundListener,
  emitVirtualOutbound,
  type DestinationFacts,
  type OutboundFallback,
  type RouteClient,
  withAllocatedAddress,
} from '@seine/compile';
import type { VirtualService } from '@seine/istio';
import { internList, memo } from '@seine/memo';
import type { MeshConfig, MeshService, ServiceEndpoints } from '@seine/model';
import { type Resource, ResourceSet } from '@seine/snapshot';
import type { EgressPort } from './egress.js';
import { egressListeners } from './egress-listeners.js';
import { encodeListener, listenerEncoder } from './encode-listener.js';
import { type L4Scope, l4Scope, withServices } from './l4-scope.js';
import type { Endpoints } from './outbound-clusters.js';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import type { Services } from './visibility.js';

const internServices = internList();

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
    rules: L4Scope['rules'],
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
  Object.freeze(ports.filter(({ bind }) => bind.everywhere).map(({ bind }) => bind.port)),
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
  // What an entry says of an address goes before what is there without it.
  return internSet([...egressListeners(scope, policies, localhost), ...own, ...set]);
}

const localhost = '127.0.0.1';

const withDns = memo('withDns', (set: ResourceSet, dns: Resource): ResourceSet => ResourceSet.of([...set, dns]));
