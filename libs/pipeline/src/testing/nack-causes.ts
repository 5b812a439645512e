import type { CompiledProxy } from '../compile-proxy.js';

/** Lists of equal things, by what Envoy calls them in its refusals. */
function repeated(what: string, items: readonly string[]): string[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(item).size).map((item) => `${what} ${item} twice`);
}

interface RouteJson {
  readonly name: string;
  readonly virtual_hosts?: readonly { readonly name: string; readonly domains: readonly string[] }[];
}

interface ListenerJson {
  readonly name: string;
  readonly address?: object;
  readonly filter_chains?: readonly { readonly filter_chain_match?: object }[];
}

/**
 * What Envoy refuses beyond the rules in its protos: names and domains that repeat within one RouteConfiguration,
 * filter chains with one match, listeners on one address; and routes it would wait for in vain.
 */
export function nackCauses({ routes, listeners }: Pick<CompiledProxy, 'routes' | 'listeners'>): readonly string[] {
  const inRoutes = (routes as unknown as readonly RouteJson[]).flatMap(({ name, virtual_hosts: all = [] }) => [
    ...repeated(
      `route ${name}: virtual host`,
      all.map((host) => host.name),
    ),
    ...repeated(
      `route ${name}: domain`,
      all.flatMap((host) => host.domains.map((domain) => domain.toLowerCase())),
    ),
  ]);
  const bound = listeners as unknown as readonly ListenerJson[];
  const inListeners = bound.flatMap(({ name, filter_chains: chains = [] }) =>
    repeated(
      `listener ${name}: filter chain match`,
      chains.map((chain) => JSON.stringify(chain.filter_chain_match ?? {})),
    ),
  );
  const addresses = bound.flatMap(({ address }) => (address ? [JSON.stringify(address)] : []));
  const names = new Set(routes.map((route) => (route as unknown as RouteJson).name));
  const missing = bound.flatMap((listener) =>
    [...JSON.stringify(listener).matchAll(/"route_config_name":"([^"]+)"/g)]
      .filter(([, name = '']) => !names.has(name))
      .map(([, name]) => `listener ${listener.name}: no routes ${name}`),
  );
  return [...inRoutes, ...inListeners, ...repeated('listener address', addresses), ...missing];
}
