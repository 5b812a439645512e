import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { validatePgv } from '@seine/envoy';
import { type Cluster, Cluster_DiscoveryType, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  type FilterChain,
  FilterChainMatchSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { type RouteConfiguration, RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { HttpConnectionManagerSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { awaitsPatch } from './extension-config.js';
import { isTerminal, mayEnd, type OrderedFilter } from './filter-order.js';

/** Things that are there more than once, as complaints. */
function repeated(what: string, items: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(item).size).map((item) => `${what} ${item} is there twice`);
}

function orderComplaints(filters: readonly OrderedFilter[]): readonly string[] {
  const last = filters.at(-1);
  const early = filters.slice(0, -1).filter(isTerminal);
  return [
    ...early.map(({ name }) => `the filter ${name} must be the last one of its chain`),
    ...(last && !mayEnd(last) ? [`the filter ${last.name} cannot be the last one of its chain`] : []),
  ];
}

/** Nothing would ever serve their configs, and the listener would wait for them. */
function undiscovered(filters: readonly OrderedFilter[]): readonly string[] {
  return filters
    .filter(awaitsPatch)
    .map(({ name }) => `the filter ${name} has no config: no EXTENSION_CONFIG patch is named so`);
}

function untyped(filters: readonly OrderedFilter[]): readonly string[] {
  return filters
    .filter(({ configType }) => configType.case === undefined)
    .map(({ name }) => `the filter ${name} has no typed_config`);
}

function hostComplaints({ virtualHosts }: RouteConfiguration): readonly string[] {
  return [
    ...repeated(
      'the virtual host',
      virtualHosts.map(({ name }) => name),
    ),
    ...repeated(
      'the domain',
      virtualHosts.flatMap(({ domains }) => domains.map((domain) => domain.toLowerCase())),
    ),
  ];
}

function chainComplaints({ filters }: FilterChain): readonly string[] {
  const managers = filters.flatMap(({ configType }) =>
    configType.case === 'typedConfig' && configType.value.typeUrl.endsWith(`/${HttpConnectionManagerSchema.typeName}`)
      ? [fromBinary(HttpConnectionManagerSchema, configType.value.value)]
      : [],
  );
  return [
    ...orderComplaints(filters),
    ...untyped(filters),
    ...undiscovered(filters),
    ...managers.flatMap(({ httpFilters, routeSpecifier }) => [
      ...(httpFilters.length === 0 ? ['an HTTP connection manager needs a router'] : orderComplaints(httpFilters)),
      ...untyped(httpFilters),
      ...undiscovered(httpFilters),
      ...(routeSpecifier.case === 'routeConfig' ? hostComplaints(routeSpecifier.value) : []),
    ]),
  ];
}

function matchKey({ filterChainMatch }: FilterChain): string {
  return filterChainMatch ? Buffer.from(toBinary(FilterChainMatchSchema, filterChainMatch)).toString('base64') : '';
}

/** Why Envoy would refuse a listener: by the rules in its protos, and by those in its code that patches often break. */
export function listenerComplaints(listener: Listener): readonly string[] {
  const { filterChains, defaultFilterChain, listenerFilters, udpListenerConfig, apiListener } = listener;
  const chains = [...filterChains, ...(defaultFilterChain ? [defaultFilterChain] : [])];
  return [
    ...validatePgv(ListenerSchema, listener),
    ...(chains.length === 0 && !udpListenerConfig && !apiListener ? ['no filter chain is left'] : []),
    ...repeated('the filter chain match', filterChains.map(matchKey)),
    ...untyped(listenerFilters),
    ...undiscovered(listenerFilters),
    ...chains.flatMap(chainComplaints),
  ];
}

export function routeComplaints(routes: RouteConfiguration): readonly string[] {
  return [...validatePgv(RouteConfigurationSchema, routes), ...hostComplaints(routes)];
}

export function clusterComplaints(cluster: Cluster): readonly string[] {
  const { transportSocket, transportSocketMatches, loadAssignment, clusterDiscoveryType } = cluster;
  const both = transportSocket && transportSocketMatches.length > 0;
  const isEds = clusterDiscoveryType.case === 'type' && clusterDiscoveryType.value === Cluster_DiscoveryType.EDS;
  return [
    ...validatePgv(ClusterSchema, cluster),
    ...(both ? ['transport_socket and transport_socket_matches exclude each other'] : []),
    ...(isEds && loadAssignment ? ['a cluster of type EDS has no load_assignment of its own'] : []),
  ];
}
