import { create } from '@bufbuild/protobuf';
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { Destination, VirtualService } from '@seine/istio';
import { fullyQualify, type MeshService } from '@seine/model';
import { emitHashPolicies } from '../features/hash-policy/emit-hash-policy.js';
import { emitRetryPolicy } from '../features/retries/emit-retry-policy.js';
import { emitPeerHeader } from '../features/peer-metadata/peer-metadata.js';
import { destinationsByHost, resolveDestination, type RouteScope } from '../features/routing/destination.js';
import { emitSessionRoute, statefulSessionFilter } from '../features/stateful-session/stateful-session.js';
import { emitTimeout } from '../features/timeouts/emit-timeout.js';
import type { VirtualHostInput } from '../inputs.js';
import { outboundClusterName } from './cluster-names.js';
import { emitVirtualServiceRoutes } from './routes-virtual-service.js';

/** Every host, fully qualified, that a VirtualService sends traffic to: routes of all protocols, and mirrors. Sorted, unique. */
export function destinationHosts(virtualService: VirtualService, clusterDomain: string): readonly string[] {
  const { http = [], tcp = [], tls = [] } = virtualService.spec;
  const destinations: (Destination | undefined)[] = [
    ...http.flatMap((route) => [route.mirror, ...(route.mirrors ?? []).map((mirror) => mirror.destination)]),
    ...[...http, ...tcp, ...tls].flatMap((route) => (route.route ?? []).map((share) => share.destination)),
  ];
  const hosts = destinations.flatMap((destination) =>
    destination ? [fullyQualify(destination.host, virtualService.metadata.namespace, clusterDomain)] : [],
  );
  return [...new Set(hosts)].sort();
}

/**
 * One virtual host of a sidecar: the VirtualService's routes where some concern the client, else the service's default
 * route. Undefined where there is neither (a VirtualService for a host that no service has, none of whose routes concern the
 * client): such a host is left to the catch-all.
 */
export function emitVirtualHost(input: VirtualHostInput): VirtualHost | undefined {
  const { virtualService, service } = input;
  const routes = virtualService
    ? emitVirtualServiceRoutes(virtualService, input.client, scopeOf(input, virtualService.metadata.namespace))
    : [];
  if (routes.length === 0 && !service) return undefined;
  return create(VirtualHostSchema, {
    name: input.name,
    domains: [...input.domains],
    routes: [
      ...(routes.length > 0 || !service ? routes : [defaultRoute(service, input)]),
      ...(input.connect && service ? [connectRoute(service, input)] : []),
    ],
    includeRequestAttemptCount: true,
  });
}

function scopeOf(input: VirtualHostInput, namespace: string): RouteScope {
  const { port, config } = input;
  return { namespace, port, tls: false, destinations: destinationsByHost(input.destinations), config };
}

function defaultRoute(service: MeshService, input: VirtualHostInput): Route {
  const host = service.host;
  const scope = scopeOf(input, service.namespace);
  const destination = resolveDestination({ host, port: { number: input.port } }, scope);
  const hashPolicy = emitHashPolicies([destination]);
  const session = emitSessionRoute([service]);
  return create(RouteSchema, {
    ...(session && { typedPerFilterConfig: { [statefulSessionFilter]: session } }),
    name: 'default',
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    decorator: { operation: `${host}:${input.port}/*` },
    ...(input.client.namesItself && emitPeerHeader([destination], {})),
    action: {
      case: 'route',
      value: {
        clusterSpecifier: { case: 'cluster', value: destination.cluster },
        ...emitTimeout(undefined),
        retryPolicy: emitRetryPolicy(undefined, {
          mesh: input.config,
          consistentHash: hashPolicy.length > 0,
        }),
        hashPolicy,
      },
    },
  });
}

/** No other route takes CONNECT, as it has no path. What is in the tunnel is bytes: it is not routed by its content. */
function connectRoute(service: MeshService, { port }: VirtualHostInput): Route {
  return create(RouteSchema, {
    name: 'connect',
    match: { pathSpecifier: { case: 'connectMatcher', value: {} } },
    decorator: { operation: `${service.host}:${port}/*` },
    action: {
      case: 'route',
      value: {
        clusterSpecifier: { case: 'cluster', value: outboundClusterName(port, undefined, service.host) },
        ...emitTimeout(undefined),
        upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }],
      },
    },
  });
}
