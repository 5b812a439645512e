import type { Any } from '@bufbuild/protobuf/wkt';
import { typeNameOf } from '@seine/envoy';
import type { FilterClass } from './patches.js';

/** A filter of either sort, as far as its place in a chain is concerned. */
export interface OrderedFilter {
  readonly name: string;
  readonly configType: { readonly case: string | undefined; readonly value?: unknown };
}

function typeOf({ configType }: OrderedFilter): string {
  return configType.case === 'typedConfig' ? typeNameOf((configType.value as Any).typeUrl) : '';
}

const http = (name: string, message: string) => `envoy.extensions.filters.http.${name}.v3.${message}`;
const network = (name: string, message: string) => `envoy.extensions.filters.network.${name}.v3.${message}`;
const opaque: readonly string[] = ['xds.type.v3.TypedStruct', 'udpa.type.v1.TypedStruct'];

/** Filters that answer or pass on what reaches them: nothing may stand behind them, and one must end the chain. */
const terminalTypes: ReadonlySet<string> = new Set([
  http('router', 'Router'),
  http('mcp_router', 'McpRouter'),
  network('tcp_proxy', 'TcpProxy'),
  network('http_connection_manager', 'HttpConnectionManager'),
  network('direct_response', 'Config'),
  network('dubbo_proxy', 'DubboProxy'),
  network('echo', 'Echo'),
  network('generic_proxy', 'GenericProxy'),
  network('redis_proxy', 'RedisProxy'),
  network('reverse_tunnel', 'ReverseTunnel'),
  network('thrift_proxy', 'ThriftProxy'),
]);

/** Those of which only their own code knows. */
const perhapsTerminal: ReadonlySet<string> = new Set([
  ...opaque,
  http('dynamic_modules', 'DynamicModuleFilter'),
  network('dynamic_modules', 'DynamicModuleNetworkFilter'),
]);

export function isTerminal(filter: OrderedFilter): boolean {
  return terminalTypes.has(typeOf(filter));
}

/** Whether Envoy would take the filter as the last one. Of one that is discovered nothing is known. */
export function mayEnd(filter: OrderedFilter): boolean {
  return filter.configType.case !== 'typedConfig' || isTerminal(filter) || perhapsTerminal.has(typeOf(filter));
}

const authentication: ReadonlySet<string> = new Set([http('jwt_authn', 'JwtAuthentication')]);
const authorization: ReadonlySet<string> = new Set([
  http('rbac', 'RBAC'),
  http('ext_authz', 'ExtAuthz'),
  network('rbac', 'RBAC'),
  network('ext_authz', 'ExtAuthz'),
]);

/** One behind the last filter of these types; 0 where there is none. */
function behind(filters: readonly OrderedFilter[], ...types: readonly ReadonlySet<string>[]): number {
  return filters.findLastIndex((filter) => types.some((set) => set.has(typeOf(filter)))) + 1;
}

/**
 * Where ADD puts a filter. Of a class: behind the mesh's own filters of it, for STATS before those that only watch or
 * route. Without one, before the filter that ends the chain, as behind it Envoy would refuse it.
 */
export function placeToAdd(filters: readonly OrderedFilter[], filterClass: FilterClass | undefined): number {
  const last = filters.at(-1);
  switch (filterClass) {
    case 'AUTHN':
      return behind(filters, authentication);
    case 'AUTHZ':
    case 'STATS':
      return behind(filters, authentication, authorization);
    default:
      return last && isTerminal(last) ? filters.length - 1 : filters.length;
  }
}
