import {
  type ChainPolicies,
  destinationHosts,
  emitGatewayListener,
  emitGatewayRoutes,
  gatewayConflicts,
  gatewayPorts,
  gatewayRouteName,
  type GatewayServer,
  gatewayVirtualServices,
} from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import { encodeResource } from '@seine/envoy';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { Gateway, VirtualService } from '@seine/istio';
import { internByKey, internList, memo } from '@seine/memo';
import { derivedAnnotations, type InboundPort, labelsMatch, type Proxy, type Workload } from '@seine/model';
import { type Resource, resource, type ResourceSet } from '@seine/snapshot';
import { listenerEncoder } from './encode-listener.js';
import { internSet } from './resource-sets.js';
import type { Scope } from './scope.js';
import { factsFor } from './visibility.js';

const internGateways = internList();
const internVirtualServices = internList();

/** Whether a workload stands behind a Service that a Gateway names; undefined: it names none. */
function servesByService({ metadata }: Gateway, workload: Workload | undefined): boolean | undefined {
  const named = metadata.annotations?.[derivedAnnotations.gatewayService];
  if (named === undefined) return undefined;
  const namespace = metadata.annotations?.[derivedAnnotations.parentNamespace] ?? metadata.namespace;
  if (workload?.namespace !== namespace) return false;
  const hosts = named.split(',');
  return workload.inbound.some(({ serviceHost }) => hosts.includes(serviceHost));
}

/** The Gateways for a gateway workload, oldest first: by their selector, or by the Services that they name. */
export function selectedGateways(
  all: readonly Gateway[],
  proxy: Proxy,
  workload: Workload | undefined,
): readonly Gateway[] {
  return internGateways(
    all.filter((gateway) => servesByService(gateway, workload) ?? labelsMatch(gateway.spec.selector, proxy.labels)),
  );
}

type PortPair = Pick<InboundPort, 'servicePort' | 'targetPort'>;
const internPorts = internByKey<readonly PortPair[]>(1024);

/** How the gateway's Services map ports. */
function portPairs(workload: Workload | undefined): readonly PortPair[] {
  const pairs = (workload?.inbound ?? []).map(({ servicePort, targetPort }) => ({ servicePort, targetPort }));
  return internPorts(JSON.stringify(pairs), () => Object.freeze(pairs));
}

interface BoundPort {
  readonly bindPort: number;
  readonly servers: readonly GatewayServer[];
}

const boundPorts = memo(
  'gatewayPorts',
  (gateways: readonly Gateway[], pairs: readonly PortPair[]): readonly BoundPort[] =>
    [...gatewayPorts(gateways, pairs)].map(([bindPort, servers]) =>
      Object.freeze({ bindPort, servers: Object.freeze([...servers]) }),
    ),
);

/** VirtualServices bound to a port's servers; those of HTTP only do not touch its listener. */
function boundVirtualServices(port: BoundPort, scope: Scope): readonly VirtualService[] {
  const { virtualServices, routes, config } = scope;
  return internVirtualServices(
    gatewayVirtualServices(port.servers, virtualServices, routes.namespace, config.clusterDomain),
  );
}

const portListeners = memo(
  'gatewayListener',
  (
    port: BoundPort,
    l4: readonly VirtualService[],
    facts: ReturnType<typeof factsFor>,
    policies: ChainPolicies,
    config: Scope['config'],
    gateway: GatewayProxy,
    reachable: ReturnType<typeof factsFor>,
  ): readonly Resource[] =>
    emitGatewayListener({
      ...port,
      l4VirtualServices: l4,
      destinations: facts,
      policies,
      config,
      workloadCertificates: gateway.workloadCertificates,
      reachable,
      ...(gateway.address && { address: gateway.address }),
    }).map(listenerEncoder('gateway', policies, config)),
);

/** What a port's listener reads of the gateway's proxy. */
interface GatewayProxy {
  /** The address to bind; empty = all. */
  readonly address: string;
  readonly workloadCertificates: boolean;
}

const internGatewayProxy = internByKey<GatewayProxy>(1024);

function gatewayProxy({ interceptionMode, ipAddresses, workloadCertificates }: Proxy): GatewayProxy {
  // Without iptables and a network of its own, a gateway binds only the address it was given.
  const address = interceptionMode === 'NONE' ? (ipAddresses[0] ?? '') : '';
  return internGatewayProxy(`${address} ${workloadCertificates}`, () =>
    Object.freeze({ address, workloadCertificates }),
  );
}

const noFacts: ReturnType<typeof factsFor> = Object.freeze([]);

function passesThrough({ gateway, index }: GatewayServer): boolean {
  return gateway.spec.servers?.[index]?.tls?.mode === 'AUTO_PASSTHROUGH';
}

/** Whether some of the Gateways have a server that leads to whatever cluster the SNI names. */
export const hasAutoPassthrough = memo('hasAutoPassthrough', (gateways: readonly Gateway[]): boolean =>
  gateways.some((gateway) => (gateway.spec.servers ?? []).some((_server, index) => passesThrough({ gateway, index }))),
);

function listenersOf(
  port: BoundPort,
  scope: Scope,
  policies: ChainPolicies,
  gateway: GatewayProxy,
): readonly Resource[] {
  const { services, rules, config } = scope;
  const reachable = port.servers.some(passesThrough)
    ? factsFor(services, [...services.keys()], services, rules)
    : noFacts;
  const l4 = internVirtualServices(
    boundVirtualServices(port, scope).filter((vs) => vs.spec.tcp?.length || vs.spec.tls?.length),
  );
  return portListeners(port, l4, factsOf(l4, scope), policies, config, gateway, reachable);
}

function factsOf(virtualServices: readonly VirtualService[], scope: Scope): ReturnType<typeof factsFor> {
  const hosts = virtualServices.flatMap((vs) => destinationHosts(vs, scope.config.clusterDomain));
  return factsFor(virtualServices, [...new Set(hosts)], scope.services, scope.rules);
}

const routesOf = memo(
  'gatewayRoutes',
  (
    servers: readonly GatewayServer[],
    virtualServices: readonly VirtualService[],
    facts: ReturnType<typeof factsFor>,
    client: Scope['routes'],
    config: Scope['config'],
    name: string,
  ): Resource => {
    const message = emitGatewayRoutes({ name, servers, virtualServices, destinations: facts, client, config });
    return resource(name, encodeResource(RouteConfigurationSchema, message));
  },
);

/** Servers of a port by the name of their routes. */
const serversByRoute = memo('serversByRoute', (port: BoundPort): ReadonlyMap<string, readonly GatewayServer[]> => {
  const byName = new Map<string, GatewayServer[]>();
  for (const server of port.servers) {
    const name = gatewayRouteName(server, port.bindPort);
    if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), server]);
  }
  return byName;
});

export interface GatewayResources {
  readonly listeners: ResourceSet;
  readonly routes: ResourceSet;
}

function gatewaySets(
  ports: readonly BoundPort[],
  scope: Scope,
  policies: ChainPolicies,
  gateway: GatewayProxy,
): GatewayResources {
  const routes = ports.flatMap((port) =>
    [...serversByRoute(port)].map(([name, servers]) => {
      const bound = internVirtualServices(
        gatewayVirtualServices(servers, scope.virtualServices, scope.routes.namespace, scope.config.clusterDomain),
      );
      return routesOf(servers, bound, factsOf(bound, scope), scope.routes, scope.config, name);
    }),
  );
  return {
    listeners: internSet(ports.flatMap((port) => listenersOf(port, scope, policies, gateway))),
    routes: internSet(routes),
  };
}

/**
 * Listeners and routes of a gateway workload.
 * @param gateways those that select it, as `selectedGateways` gives them
 */
export function gatewayResources(
  proxy: Proxy,
  workload: Workload | undefined,
  gateways: readonly Gateway[],
  scope: Scope,
  policies: ChainPolicies,
): GatewayResources {
  const ports = boundPorts(gateways, portPairs(workload));
  return gatewaySets(ports, scope, policies, gatewayProxy(proxy));
}

const conflictsOn = memo('gatewayConflicts', (port: BoundPort, { address, workloadCertificates }: GatewayProxy) =>
  gatewayConflicts({ ...port, address, workloadCertificates }),
);

/** Servers that have no effect on a gateway workload, as others stand in their place. */
export function gatewayDiagnostics(
  proxy: Proxy,
  workload: Workload | undefined,
  gateways: readonly Gateway[],
): readonly Diagnostic[] {
  const ports = boundPorts(gateways, portPairs(workload));
  return ports.flatMap((port) => conflictsOn(port, gatewayProxy(proxy)));
}
