import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FilterChain,
  FilterChainSchema,
  type ListenerFilter,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { isHttp, type MeshConfig, type MeshService, type ServicePort } from '@seine/model';
import { listenerName, tcpAddress, wildcardAddress } from '../../frame/listeners-address.js';
import { type ChainContext, chainContext, type OutboundListenerInput } from '../../inputs.js';
import { emitListenerAccessLog } from '../access-log/access-log.js';
import { emitHttpConnectionManager } from '../http-connection-manager/http-connection-manager.js';
import { type OutboundFallback, outboundFallback } from '../outbound-traffic-policy/outbound-fallback.js';
import {
  httpInspector,
  plaintextHttpMatch,
  sniffingTimeout,
  tlsInspector,
} from '../protocol-sniffing/protocol-sniffing.js';
import { emitFilterChains, isCatchAll, type L4Chain } from '../tcp-routing/filter-chains.js';
import { serviceChains } from '../tcp-routing/tcp-routing.js';
import type { L4Input } from '../tls-routing/tls-routing.js';
import { splitAddresses } from './service-addresses.js';
import { emitCatchAllChain } from './virtual-outbound.js';

/** The RDS resource of one port of one service, for listeners of the service's own address. */
export function serviceRouteName(host: string, port: number): string {
  return `${host}:${port}`;
}

/** One service with the port that the listener is about. */
export interface ServiceOnPort {
  readonly service: MeshService;
  readonly port: ServicePort;
}

/**
 * The outbound listeners of one port, reached by virtualOutbound (none binds it): `<VIP>_<port>` for each address of
 * a TCP, TLS or sniffed service, and `0.0.0.0_<port>` for HTTP services, address blocks and services without address.
 * UDP is not handled by Envoy. On the wildcard address the oldest service wins where plain TCP meets HTTP or other
 * plain TCP; whatever can be told apart (SNI, subnets, sniffed HTTP) shares it.
 */
export function emitOutboundListener(input: OutboundListenerInput): Listener[] {
  const shared: WildcardEntry[] = [];
  const owned = new Map<string, ServiceOnPort[]>();
  for (const entry of byAge(input)) {
    if (isHttp(entry.port.protocol)) {
      shared.push({ ...entry, subnets: [] });
      continue;
    }
    const { addresses, subnets } = splitAddresses(entry.service.addresses);
    for (const address of addresses) owned.set(address, [...(owned.get(address) ?? []), entry]);
    if (subnets.length > 0 || addresses.length === 0) shared.push({ ...entry, subnets });
  }
  return [
    ...emitWildcardListener(shared, input),
    ...[...owned]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([address, entries]) => emitServiceListener(address, entries, input, { bindToPort: false })),
  ];
}

interface WildcardEntry extends ServiceOnPort {
  readonly subnets: readonly string[];
}

function byAge({ services, port }: OutboundListenerInput): ServiceOnPort[] {
  return services
    .flatMap((service) =>
      service.ports
        .filter((candidate) => candidate.port === port && candidate.protocol !== 'UDP')
        .slice(0, 1)
        .map((found) => ({ service, port: found })),
    )
    .sort(
      (a, b) =>
        compare(a.service.creationTimestamp, b.service.creationTimestamp) || compare(a.service.host, b.service.host),
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fallbackOf({ fallback, config }: OutboundListenerInput): OutboundFallback {
  return fallback ?? outboundFallback({ mode: config.outboundTrafficPolicy }, false);
}

function emitWildcardListener(entries: readonly WildcardEntry[], input: OutboundListenerInput): Listener[] {
  const chained = entries.map((entry) => ({ entry, chains: l4Chains(entry, entry.subnets, false, input) }));
  const plain = (item: (typeof chained)[number]) =>
    item.entry.port.protocol !== 'auto' && item.chains.some(({ match }) => isCatchAll(match));
  const speaksHttp = ({ port, subnets }: WildcardEntry) =>
    isHttp(port.protocol) || (port.protocol === 'auto' && subnets.length === 0);
  const first = chained.find((item) => plain(item) || speaksHttp(item.entry));
  const http = first !== undefined && speaksHttp(first.entry);
  const l4 = chained.filter((item) => !http || !plain(item)).flatMap(({ chains }) => chains);
  if (!http && l4.length === 0) return [];
  const name = listenerName(wildcardAddress, input.port);
  const catchAll = l4.some(({ match }) => isCatchAll(match));
  const bySni = l4.some(({ match }) => match.serverNames.length > 0);
  const context = chainContext('outbound', input);
  const passthrough = emitCatchAllChain('PassthroughFilterChain', fallbackOf(input), context);
  return [
    create(ListenerSchema, {
      ...outboundListener(wildcardAddress, input.port, context),
      bindToPort: false,
      ...inspection({ tls: bySni || http, http }, input.config),
      ...(http
        ? besideHttp(httpChain(`outbound_${name}`, String(input.port), entries, context, true), l4, passthrough)
        : { filterChains: emitFilterChains(l4), ...(!catchAll && { defaultFilterChain: passthrough }) }),
    }),
  ];
}

/**
 * The listener of one address that belongs to a service (several, where they claim the same one: then the oldest wins
 * what can not be told apart). HTTP and sniffed ports take their routes from the service's own RDS resource.
 */
export function emitServiceListener(
  address: string,
  entries: readonly ServiceOnPort[],
  input: L4Input,
  { bindToPort }: { readonly bindToPort: boolean },
): Listener {
  const [first] = entries;
  const protocol = first?.port.protocol ?? 'TCP';
  const http = protocol === 'auto' || isHttp(protocol);
  const l4 = http && protocol !== 'auto' ? [] : entries.flatMap((entry) => l4Chains(entry, [], true, input));
  const bySni = l4.some(({ match }) => match.serverNames.length > 0);
  const sniff = protocol === 'auto';
  const context = chainContext('outbound', input);
  const statPrefix = `outbound_${listenerName(address, input.port)}`;
  const routeName = first ? serviceRouteName(first.service.host, input.port) : '';
  return create(ListenerSchema, {
    ...outboundListener(address, input.port, context),
    bindToPort,
    ...inspection({ tls: bySni || sniff, http: sniff }, input.config),
    ...(http
      ? besideHttp(httpChain(statPrefix, routeName, entries, context, sniff), l4)
      : { filterChains: emitFilterChains(l4) }),
  });
}

/**
 * A sniffed HTTP chain with others. Among chains for plaintext Envoy does not fall back to one for any transport, so
 * what takes every connection must be the default chain, not a filter chain without conditions.
 */
export function besideHttp(
  http: FilterChain,
  l4: readonly L4Chain[],
  otherwise?: FilterChain,
): Pick<MessageInitShape<typeof ListenerSchema>, 'filterChains' | 'defaultFilterChain'> {
  const catchAll = emitFilterChains(l4.filter(({ match }) => isCatchAll(match)))[0] ?? otherwise;
  return {
    filterChains: [http, ...emitFilterChains(l4.filter(({ match }) => !isCatchAll(match)))],
    ...(catchAll && { defaultFilterChain: catchAll }),
  };
}

function l4Chains(
  entry: ServiceOnPort,
  subnets: readonly string[],
  ownAddress: boolean,
  input: L4Input,
): readonly L4Chain[] {
  return isHttp(entry.port.protocol) ? [] : serviceChains({ ...entry, subnets, ownAddress }, input);
}

/** @param sniffed the chain takes only what http_inspector has found to be HTTP */
function httpChain(
  statPrefix: string,
  routes: string,
  entries: readonly ServiceOnPort[],
  context: ChainContext,
  sniffed: boolean,
): FilterChain {
  const grpcWeb = entries.some(({ port }) => port.protocol === 'GRPC-Web');
  return create(FilterChainSchema, {
    ...(sniffed && { filterChainMatch: plaintextHttpMatch() }),
    filters: [emitHttpConnectionManager({ statPrefix, routes, grpcWeb, context })],
  });
}

function outboundListener(address: string, port: number, context: ChainContext) {
  return {
    name: listenerName(address, port),
    address: tcpAddress(address, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    accessLog: emitListenerAccessLog(context),
  };
}

/** The listener filters that look into a connection's first bytes for TLS or HTTP. */
export function inspection(
  { tls, http }: { readonly tls: boolean; readonly http: boolean },
  config: MeshConfig,
): { listenerFilters?: ListenerFilter[] } & Partial<ReturnType<typeof sniffingTimeout>> {
  if (!tls && !http) return {};
  return {
    listenerFilters: [...(tls ? [tlsInspector()] : []), ...(http ? [httpInspector()] : [])],
    ...sniffingTimeout(config),
  };
}
