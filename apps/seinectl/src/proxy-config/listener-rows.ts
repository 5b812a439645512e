import type { Row } from '../output/table.js';
import { compareText } from './compare-text.js';
import {
  formatAddress,
  type Filter,
  type FilterChain,
  type FilterChainMatch,
  type Listener,
  type RouteConfiguration,
} from './config-dump.js';
import type { Filters } from './filters.js';
import { describeWeights } from './route-rows.js';

export const listenerHeader = ['ADDRESSES', 'PORT', 'MATCH', 'DESTINATION'];

const portOf = (listener: Listener): number => listener.address?.socket_address?.port_value ?? 0;

export function selectListeners(listeners: readonly Listener[], filters: Filters): Listener[] {
  return listeners
    .filter(
      (l) =>
        (filters.name === undefined || l.name === filters.name) &&
        (filters.port === undefined || portOf(l) === filters.port) &&
        (filters.direction === undefined || l.traffic_direction === filters.direction.toUpperCase()),
    )
    .sort((a, b) => portOf(a) - portOf(b) || compareText(addressesOf(a), addressesOf(b)));
}

/** One row for each filter chain, in the order in which the listener has them, the default chain last. */
export function listenerRows(listeners: readonly Listener[]): Row[] {
  return listeners.flatMap((listener) => {
    const port = String(portOf(listener) || '-');
    const chains = listener.filter_chains ?? [];
    const rows = chains.map((chain) => describe(listener, port, describeMatch(chain.filter_chain_match), chain));
    if (listener.default_filter_chain) rows.push(describe(listener, port, 'ALL', listener.default_filter_chain));
    return rows;
  });
}

function describe(listener: Listener, port: string, match: string, chain: FilterChain): Row {
  return { cells: [addressesOf(listener), port, match, describeDestination(chain.filters ?? [])] };
}

/** Several addresses are separated by commas; a port is a column of its own. */
function addressesOf(listener: Listener): string {
  return [listener.address, ...(listener.additional_addresses ?? []).map((a) => a.address)]
    .map((address) => address?.socket_address?.address ?? formatAddress(address))
    .join(',');
}

/** istioctl's words: `Trans: raw_buffer; App: http/1.1,h2c; Addr: 10.0.0.5:3306`, or `ALL`. */
export function describeMatch(match: FilterChainMatch | undefined): string {
  if (!match) return 'ALL';
  const parts: string[] = [];
  if (match.server_names?.length) parts.push(`SNI: ${match.server_names.join(',')}`);
  if (match.transport_protocol) parts.push(`Trans: ${match.transport_protocol}`);
  if (match.application_protocols?.length) parts.push(`App: ${describeProtocols(match.application_protocols)}`);
  const port = match.destination_port ? `:${match.destination_port}` : '';
  if (match.prefix_ranges?.length) {
    const ranges = match.prefix_ranges.map((r) => `${r.address_prefix ?? ''}/${r.prefix_len ?? 0}${port}`);
    parts.push(`Addr: ${ranges.join(',')}`);
  } else if (port) {
    parts.push(`Addr: *${port}`);
  }
  return parts.length === 0 ? 'ALL' : parts.join('; ');
}

/** The two lists Istio uses have names: plain HTTP, and HTTP inside Istio's mutual TLS. */
function describeProtocols(protocols: readonly string[]): string {
  const plain = ['http/1.0', 'http/1.1', 'h2c'];
  const istio = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
  if (protocols.every((p) => plain.includes(p))) return 'HTTP';
  if (protocols.every((p) => istio.includes(p))) return 'HTTP TLS';
  return protocols.join(',');
}

function describeDestination(filters: readonly Filter[]): string {
  for (const { typed_config: config } of filters) {
    const type = config?.['@type'] ?? '';
    if (type.endsWith('.HttpConnectionManager')) {
      if (config?.rds?.route_config_name) return `Route: ${config.rds.route_config_name}`;
      return describeInline(config?.route_config);
    }
    if (type.endsWith('.TcpProxy')) {
      const weights = config?.weighted_clusters ? describeWeights(config.weighted_clusters) : config?.cluster;
      return weights === 'PassthroughCluster' || weights === 'BlackHoleCluster'
        ? weights
        : `Cluster: ${weights ?? '-'}`;
    }
  }
  return 'Non-HTTP/Non-TCP';
}

function describeInline(route: RouteConfiguration | undefined): string {
  const clusters = (route?.virtual_hosts ?? [])
    .flatMap((host) => host.routes ?? [])
    .map((r) => (r.route?.weighted_clusters ? describeWeights(r.route.weighted_clusters) : r.route?.cluster))
    .filter((name) => name !== undefined);
  return clusters.length === 0 ? 'Inline Route' : `Inline Route: ${[...new Set(clusters)].join(', ')}`;
}
