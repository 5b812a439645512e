import {
  autoAllocate,
  chainContext,
  type ChainPolicies,
  destinationHosts,
  emitDnsListener,
  emitOutboundListener,
  emitVirtualOutbound,
  type DestinationFacts,
  type RouteClient,
  withAllocatedAddress,
} from '@seine/compile';
import { encodeResource } from '@seine/envoy';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { VirtualService } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import type { MeshConfig, MeshService } from '@seine/model';
import { type Resource, resource, ResourceSet } from '@seine/snapshot';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import { factsFor, type Services } from './visibility.js';

export function encodeListener(listener: Listener): Resource {
  return resource(listener.name, encodeResource(ListenerSchema, listener));
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

/** What L4 routes may distinguish clients by: nothing, where there are none. */
export function l4Scope(scope: Scope): {
  l4: readonly VirtualService[];
  facts: readonly DestinationFacts[];
  client: RouteClient;
} {
  const l4 = l4VirtualServices(scope.virtualServices);
  const hosts = [...new Set(l4.flatMap((vs) => destinationHosts(vs, scope.config.clusterDomain)))];
  const { namespace, labels } = l4.length > 0 ? scope.routes : { namespace: '', labels: {} };
  const client = internClient(JSON.stringify([namespace, labels]), () =>
    Object.freeze({ gateway: 'mesh', namespace, labels }),
  );
  return { l4, facts: factsFor(l4, hosts, scope.services, scope.rules), client };
}

const portListeners = memo(
  'outboundListener',
  (
    services: readonly MeshService[],
    l4: readonly VirtualService[],
    destinations: readonly DestinationFacts[],
    client: RouteClient,
    policies: ChainPolicies,
    config: MeshConfig,
    port: number,
  ): readonly Resource[] =>
    emitOutboundListener({ port, services, l4VirtualServices: l4, destinations, client, policies, config }).map(
      encodeListener,
    ),
);

const virtualOutbound = memo('virtualOutbound', (policies: ChainPolicies, config: MeshConfig): Resource =>
  encodeListener(emitVirtualOutbound(chainContext('outbound', { policies, config }))),
);

/** Services with the addresses that DNS capture gives to those without: a client with it sees these instead. */
export const withAddresses = memo('withAddresses', (services: Services): Services => {
  const allocated = autoAllocate(services.values());
  return allocated.size === 0
    ? services
    : new Map([...services].map(([host, service]) => [host, withAllocatedAddress(service, allocated.get(host))]));
});

const outboundSet = memo(
  'outboundListenerSet',
  (
    services: Services,
    l4: readonly VirtualService[],
    facts: readonly DestinationFacts[],
    client: RouteClient,
    policies: ChainPolicies,
    config: MeshConfig,
  ): ResourceSet => {
    const all: Resource[] = [virtualOutbound(policies, config)];
    for (const [port, list] of servicesByPort(services))
      all.push(...portListeners(list, l4, facts, client, policies, config, port));
    return internSet(all);
  },
);

const dnsListener = memo('dnsListener', (services: Services, namespace: string): Resource =>
  encodeListener(emitDnsListener({ services: [...services.values()], namespace })),
);

/** The outbound listeners of iptables mode. */
export function outboundListeners(scope: Scope, policies: ChainPolicies, dnsCapture: boolean): ResourceSet {
  const services = dnsCapture ? withAddresses(scope.services) : scope.services;
  const { l4, facts, client } = l4Scope(scope);
  const set = outboundSet(services, l4, facts, client, policies, scope.config);
  return dnsCapture ? withDns(set, dnsListener(services, scope.routes.namespace)) : set;
}

const withDns = memo('withDns', (set: ResourceSet, dns: Resource): ResourceSet => ResourceSet.of([...set, dns]));
