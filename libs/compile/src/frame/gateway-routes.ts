import { create } from '@bufbuild/protobuf';
import {
  type Route,
  type VirtualHost,
  VirtualHost_TlsRequirementType as TlsRequirement,
  VirtualHostSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfiguration } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import type { Server, VirtualService } from '@seine/istio';
import { type MeshConfig, parseProtocol } from '@seine/model';
import { routeSemanticsOf } from '../features/gateway-api/route-semantics.js';
import { isCatchAll } from '../features/match/emit-route-match.js';
import { destinationsByHost, type RouteScope } from '../features/routing/destination.js';
import { isExportedTo } from '../features/routing/export-to.js';
import { qualifyGateway } from '../features/routing/gateway-name.js';
import { hostPart, intersectHosts, qualifiedHosts, serverHostsFor } from '../features/routing/host-intersection.js';
import type { DestinationFacts, GatewayServer, RouteClient } from '../inputs.js';
import { routeConfigurationShell } from './routes-configuration.js';
import { emitVirtualServiceRoutes } from './routes-virtual-service.js';

/** One route configuration of a gateway workload. */
export interface GatewayRoutesInput {
  /** As `gatewayRouteName` gives it for each of the servers. */
  readonly name: string;
  /** All servers with that route name, oldest Gateway first. */
  readonly servers: readonly GatewayServer[];
  /** Those that `gatewayVirtualServices` selects, oldest first, delegates merged. */
  readonly virtualServices: readonly VirtualService[];
  /** Facts of every host their destinations name. */
  readonly destinations: readonly DestinationFacts[];
  /** The gateway workload. */
  readonly client: Pick<RouteClient, 'namespace' | 'labels' | 'namesItself'>;
  readonly config: MeshConfig;
}

/**
 * The RDS name of a server's routes: plain HTTP servers of one port share `http.<port>`; a server that terminates TLS has its own,
 * `https.<port>.<port name>.<gateway>.<namespace>`. A server's `bind` is appended. Undefined: the server has no HTTP routes
 * (TCP, TLS passthrough).
 * @param bindPort the port the Envoy binds
 */
export function gatewayRouteName({ gateway, index }: GatewayServer, bindPort: number): string | undefined {
  const server = gateway.spec.servers?.[index];
  if (!server) return undefined;
  const bind = server.bind ? `.${server.bind}` : '';
  const { number, name, protocol } = server.port;
  if (['HTTP', 'HTTP2', 'GRPC', 'GRPC-Web'].includes(parseProtocol(protocol) ?? '')) return `http.${bindPort}${bind}`;
  if (parseProtocol(protocol) !== 'HTTPS' || !terminatesTls(server)) return undefined;
  return `https.${number}.${name}.${gateway.metadata.name}.${gateway.metadata.namespace}${bind}`;
}

function terminatesTls(server: Server): boolean {
  return server.tls !== undefined && !['PASSTHROUGH', 'AUTO_PASSTHROUGH'].includes(server.tls.mode ?? 'PASSTHROUGH');
}

/**
 * The VirtualServices that put routes on some of the servers: bound to the server's Gateway by name, visible to the gateway's
 * namespace, and with a host in common with the server. The order stays.
 * @param proxyNamespace where the gateway workload runs
 */
export function gatewayVirtualServices(
  servers: readonly GatewayServer[],
  virtualServices: readonly VirtualService[],
  proxyNamespace: string,
  clusterDomain: string,
): readonly VirtualService[] {
  return virtualServices.filter(
    (virtualService) =>
      isExportedTo(virtualService, proxyNamespace) &&
      servers.some((server) => commonHosts(server, virtualService, clusterDomain).length > 0),
  );
}

function commonHosts(
  { gateway, index }: GatewayServer,
  virtualService: VirtualService,
  clusterDomain: string,
): readonly string[] {
  const { namespace } = virtualService.metadata;
  const bound = (virtualService.spec.gateways ?? []).map((name) => qualifyGateway(name, namespace));
  if (!bound.includes(gatewayName(gateway))) return [];
  const serverHosts = gateway.spec.servers?.[index]?.hosts ?? [];
  return intersectHosts(
    serverHostsFor(serverHosts, gateway.metadata.namespace, namespace),
    routeSemanticsOf(virtualService) === 'istio'
      ? qualifiedHosts(virtualService.spec.hosts ?? [], namespace, clusterDomain)
      : (virtualService.spec.hosts ?? []),
  );
}

function gatewayName(gateway: GatewayServer['gateway']): string {
  return `${gateway.metadata.namespace}/${gateway.metadata.name}`;
}

interface HostRoutes {
  readonly routes: Route[];
  /** The pairs of Gateway and VirtualService whose routes are in already: two servers may give the same host. */
  readonly sources: Set<string>;
  httpsRedirect: boolean;
}

/**
 * The whole route configuration of one gateway route name. VirtualServices for one host are merged, oldest first, with routes that
 * take every request last. With nothing bound, everything is answered 404.
 */
export function emitGatewayRoutes(input: GatewayRoutesInput): RouteConfiguration {
  const port = input.servers.map(serverOf).find((server) => server !== undefined)?.port.number ?? 0;
  const byHost = collectHosts(input);
  const shell = routeConfigurationShell(input.name);
  shell.virtualHosts = [...byHost].map(([host, { routes, httpsRedirect }]) =>
    create(VirtualHostSchema, {
      name: `${host}:${port}`,
      domains: [host],
      routes: catchAllLast(routes),
      requireTls: httpsRedirect ? TlsRequirement.ALL : TlsRequirement.NONE,
      includeRequestAttemptCount: true,
    }),
  );
  if (shell.virtualHosts.length === 0) shell.virtualHosts = [blackhole(port)];
  return shell;
}

function serverOf({ gateway, index }: GatewayServer): Server | undefined {
  return gateway.spec.servers?.[index];
}

/** By host, in lower case, as Envoy compares domains. */
function collectHosts(input: GatewayRoutesInput): ReadonlyMap<string, HostRoutes> {
  const byHost = new Map<string, HostRoutes>();
  const entry = (host: string): HostRoutes => {
    const key = host.toLowerCase();
    const known = byHost.get(key) ?? { routes: [], sources: new Set<string>(), httpsRedirect: false };
    byHost.set(key, known);
    return known;
  };
  const destinations = destinationsByHost(input.destinations);
  for (const gatewayServer of input.servers) {
    const server = serverOf(gatewayServer);
    if (!server) continue;
    const httpsRedirect = server.tls?.httpsRedirect ?? false;
    for (const virtualService of input.virtualServices) {
      const hosts = commonHosts(gatewayServer, virtualService, input.config.clusterDomain);
      const routes = hosts.length === 0 ? [] : routesOn(gatewayServer, server, virtualService, destinations, input);
      if (routes.length === 0) continue;
      const { namespace, name } = virtualService.metadata;
      const source = `${gatewayName(gatewayServer.gateway)} ${namespace}/${name}`;
      for (const host of hosts) {
        const target = entry(host);
        if (!target.sources.has(source)) target.routes.push(...routes);
        target.sources.add(source);
        target.httpsRedirect ||= httpsRedirect;
      }
    }
    if (httpsRedirect) for (const host of server.hosts) entry(hostPart(host)).httpsRedirect = true;
  }
  return byHost;
}

function routesOn(
  { gateway }: GatewayServer,
  server: Server,
  virtualService: VirtualService,
  destinations: RouteScope['destinations'],
  input: GatewayRoutesInput,
): readonly Route[] {
  const client: RouteClient = { ...input.client, gateway: gatewayName(gateway) };
  return emitVirtualServiceRoutes(virtualService, client, {
    namespace: virtualService.metadata.namespace,
    port: server.port.number,
    tls: server.tls !== undefined,
    destinations,
    config: input.config,
  });
}

/** An older VirtualService's catch-all must not hide a younger one's narrower routes. */
function catchAllLast(routes: readonly Route[]): Route[] {
  return [
    ...routes.filter((route) => !isCatchAll(route.match)),
    ...routes.filter((route) => isCatchAll(route.match)).slice(0, 1),
  ];
}

/** No routes: Envoy answers 404. */
function blackhole(port: number): VirtualHost {
  return create(VirtualHostSchema, { name: `blackhole:${port}`, domains: ['*'] });
}
