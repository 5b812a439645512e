import { type RouteConfiguration, RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import {
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { matchesRouteConfiguration, matchesVirtualHost, routeMatch } from './match-route.js';
import { editList, mergeValue, valueOf } from './patch-lists.js';
import { type EnvoyPatch, isMerge, patchesFor, type PatchInput } from './patches.js';

/** Adds routes. INSERT_FIRST by a route is first of all, and only where that route is there. */
function addRoute(host: VirtualHost, patch: EnvoyPatch): void {
  const matches = routeMatch(patch);
  const { operation } = patch;
  if (operation === 'INSERT_FIRST' && matches && !host.routes.some(matches)) return;
  if (operation === 'ADD' || operation.startsWith('INSERT_'))
    host.routes = editList(host.routes, operation, () => valueOf(RouteSchema, patch), { matches });
}

function patchRoutes(host: VirtualHost, patches: readonly EnvoyPatch[]): void {
  host.routes = host.routes.filter((route) => {
    for (const patch of patches) {
      if (!(routeMatch(patch)?.(route) ?? true)) continue;
      if (patch.operation === 'REMOVE') return false;
      if (isMerge(patch.operation)) mergeValue(RouteSchema, route, patch);
    }
    return true;
  });
  for (const patch of patches) addRoute(host, patch);
}

/** @returns the virtual host that stands in its place; undefined where a patch removes it */
function patchVirtualHost(
  routes: RouteConfiguration,
  original: VirtualHost,
  input: PatchInput,
): VirtualHost | undefined {
  let host = original;
  for (const patch of patchesFor(input, 'VIRTUAL_HOST')) {
    if (!matchesRouteConfiguration(patch, routes.name, input)) continue;
    if (!matchesVirtualHost(patch, routes, host, input)) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation)) mergeValue(VirtualHostSchema, host, patch);
    else if (patch.operation === 'REPLACE') host = valueOf(VirtualHostSchema, patch);
  }
  const patches = patchesFor(input, 'HTTP_ROUTE').filter(
    (patch) => matchesRouteConfiguration(patch, routes.name, input) && matchesVirtualHost(patch, routes, host, input),
  );
  if (patches.length > 0) patchRoutes(host, patches);
  return host;
}

/** Applies patches to a RouteConfiguration, in place: itself, its virtual hosts, and the routes in them. */
export function patchRouteConfiguration(routes: RouteConfiguration, input: PatchInput): void {
  for (const patch of patchesFor(input, 'ROUTE_CONFIGURATION'))
    if (isMerge(patch.operation) && matchesRouteConfiguration(patch, routes.name, input))
      mergeValue(RouteConfigurationSchema, routes, patch);
  routes.virtualHosts = routes.virtualHosts.flatMap((host) => patchVirtualHost(routes, host, input) ?? []);
  for (const patch of patchesFor(input, 'VIRTUAL_HOST'))
    if (patch.operation === 'ADD' && matchesRouteConfiguration(patch, routes.name, input))
      routes.virtualHosts.push(valueOf(VirtualHostSchema, patch));
}
