import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type Route,
  type RouteAction,
  type RouteMatch,
  RouteActionSchema,
  RouteSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPMatchRequest, HTTPRoute, VirtualService } from '@seine/istio';
import { corsFilter, emitCorsPolicy } from '../features/cors/emit-cors-policy.js';
import { emitDirectResponse } from '../features/direct-response/emit-direct-response.js';
import { emitFault, faultFilter } from '../features/fault/emit-fault.js';
import {
  bySegments,
  notFoundCode,
  redirectBySegments,
  rewriteBySegments,
  type RouteSemantics,
  routeSemanticsOf,
} from '../features/gateway-api/route-semantics.js';
import { emitHashPolicies } from '../features/hash-policy/emit-hash-policy.js';
import {
  emitHeaderOperations,
  type HeaderFields,
  hostRewriteOf,
} from '../features/header-operations/emit-header-operations.js';
import { emitRouteMatch, isCatchAll } from '../features/match/emit-route-match.js';
import { concernsClient } from '../features/match/source-match.js';
import { emitMirrors } from '../features/mirror/emit-mirrors.js';
import { emitPeerHeader } from '../features/peer-metadata/peer-metadata.js';
import { emitRedirect } from '../features/redirect/emit-redirect.js';
import { emitRetryPolicy } from '../features/retries/emit-retry-policy.js';
import { emitPathRewrite } from '../features/rewrite/emit-rewrite.js';
import type { RouteScope } from '../features/routing/destination.js';
import { emitSessionRoute, statefulSessionFilter } from '../features/stateful-session/stateful-session.js';
import { emitTimeout } from '../features/timeouts/emit-timeout.js';
import { activeShares, emitClusterSpecifier, type Share } from '../features/weighted-routing/emit-weighted-clusters.js';
import type { RouteClient } from '../inputs.js';
import { parseClusterName } from './cluster-names.js';

/**
 * The routes of a VirtualService for one client and port, in the order of `http`; each `match` makes a route of its own.
 * What follows a route that takes every request is left out, as it is never reached. Empty: nothing concerns the client.
 */
export function emitVirtualServiceRoutes(
  virtualService: VirtualService,
  client: RouteClient,
  scope: RouteScope,
): readonly Route[] {
  const routes: Route[] = [];
  for (const http of virtualService.spec.http ?? []) {
    const matches: readonly (HTTPMatchRequest | undefined)[] = http.match?.length ? http.match : [undefined];
    for (const match of matches) {
      if (!concernsClient(match, client, scope.port, scope.namespace)) continue;
      const route = emitRoute(virtualService, http, match, { ...scope, namesItself: client.namesItself });
      routes.push(route);
      if (isCatchAll(route.match)) return routes;
    }
  }
  return routes;
}

function emitRoute(
  virtualService: VirtualService,
  http: HTTPRoute,
  match: HTTPMatchRequest | undefined,
  scope: RouteScope & Pick<RouteClient, 'namesItself'>,
): Route {
  const shares = activeShares(http.route ?? [], scope);
  const semantics = routeSemanticsOf(virtualService);
  const routeMatch = bySegments(emitRouteMatch(match), semantics);
  const action = emitAction(http, shares, scope, { match: routeMatch, semantics });
  const singleDestination = shares.length === 1 ? shares[0]?.route.headers : undefined;
  return create(RouteSchema, {
    name: [http.name, match?.name].filter(Boolean).join('.'),
    match: routeMatch,
    action,
    metadata: configMetadata(virtualService),
    decorator: { operation: operation(routeMatch, action, virtualService.metadata.name, scope.port) },
    statPrefix: match?.statPrefix ?? '',
    typedPerFilterConfig: filterConfigs(http, shares),
    ...(action.case === 'route'
      ? forwardedHeaders(emitHeaderOperations(http.headers, singleDestination), shares, scope)
      : emitHeaderOperations(http.headers)),
  });
}

/** With what the client says of itself, where it does. */
function forwardedHeaders(
  fields: HeaderFields,
  shares: readonly Share[],
  { namesItself }: Pick<RouteClient, 'namesItself'>,
): Partial<HeaderFields> {
  if (!namesItself) return fields;
  return emitPeerHeader(
    shares.map(({ destination }) => destination),
    fields,
  );
}

type Action = Route['action'];

/** What of a route its path is rewritten by. */
interface Matched {
  readonly match: RouteMatch;
  readonly semantics: RouteSemantics;
}

function emitAction(http: HTTPRoute, shares: readonly Share[], scope: RouteScope, matched: Matched): Action {
  const init: MessageInitShape<typeof RouteSchema> = http.redirect
    ? {
        action: {
          case: 'redirect',
          value: redirectBySegments(emitRedirect(http.redirect, scope), matched.match, matched.semantics),
        },
      }
    : http.directResponse
      ? { action: { case: 'directResponse', value: emitDirectResponse(http.directResponse) } }
      : shares.length > 0
        ? { action: { case: 'route', value: emitForwarding(http, shares, scope, matched) } }
        : noDestination;
  return create(RouteSchema, init).action;
}

/** All weights are 0, so that no destination is to be used; Envoy refuses an empty set of clusters. */
const noDestination: MessageInitShape<typeof RouteSchema> = {
  action: { case: 'directResponse', value: { status: 503 } },
};

function emitForwarding(
  http: HTTPRoute,
  shares: readonly Share[],
  scope: RouteScope,
  { match, semantics }: Matched,
): RouteAction {
  const routeHost = http.rewrite?.authority || hostRewriteOf(http.headers);
  const host = routeHost || (shares.length === 1 ? hostRewriteOf(shares[0]?.route.headers) : undefined);
  const hashPolicy = emitHashPolicies(shares.map(({ destination }) => destination));
  return create(RouteActionSchema, {
    clusterSpecifier: emitClusterSpecifier(shares, routeHost !== undefined),
    ...emitTimeout(http.timeout),
    retryPolicy: emitRetryPolicy(http.retries, {
      mesh: scope.config,
      consistentHash: hashPolicy.length > 0,
    }),
    ...rewriteBySegments(emitPathRewrite(http.rewrite), match, semantics),
    ...notFoundCode(semantics),
    hostRewriteSpecifier: host ? { case: 'hostRewriteLiteral', value: host } : { case: undefined },
    requestMirrorPolicies: emitMirrors(http, scope),
    hashPolicy,
  });
}

function filterConfigs(http: HTTPRoute, shares: readonly Share[]): Record<string, Any> {
  const configs: readonly (readonly [string, Any | undefined])[] = [
    [faultFilter, emitFault(http.fault)],
    [corsFilter, emitCorsPolicy(http.corsPolicy)],
    [statefulSessionFilter, emitSessionRoute(shares.map(({ destination }) => destination.facts?.service))],
  ];
  return Object.fromEntries(configs.flatMap(([filter, config]) => (config ? [[filter, config]] : [])));
}

/** Names the VirtualService, so that access logs and people find it (`%METADATA(ROUTE:istio)%`). */
function configMetadata(virtualService: VirtualService): { filterMetadata: Record<string, JsonObject> } {
  const { namespace, name } = virtualService.metadata;
  const config = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtual-service/${name}`;
  return { filterMetadata: { istio: { config } } };
}

/** The span name: the single destination's `host:port`, else the VirtualService's name and port; then the path. */
function operation(match: RouteMatch, action: Action, name: string, port: number): string {
  const cluster = action.case === 'route' ? action.value.clusterSpecifier : undefined;
  const parts = cluster?.case === 'cluster' ? parseClusterName(cluster.value) : undefined;
  return `${parts ? `${parts.host}:${parts.port}` : `${name}:${port}`}${pathPattern(match)}`;
}

function pathPattern({ pathSpecifier }: RouteMatch): string {
  switch (pathSpecifier.case) {
    case 'prefix':
    case 'pathSeparatedPrefix':
      return `${pathSpecifier.value}*`;
    case 'path':
      return pathSpecifier.value;
    case 'safeRegex':
      return pathSpecifier.value.regex;
    default:
      return '/*';
  }
}
