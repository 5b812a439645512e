import { create } from '@bufbuild/protobuf';
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { listenerName, pipeAddress, tcpAddress, unixScheme, wildcardAddress } from '../../frame/listeners-address.js';
import { gatewayRouteName } from '../../frame/gateway-routes.js';
import { chainContext, type GatewayPortInput } from '../../inputs.js';
import { emitListenerAccessLog } from '../access-log/access-log.js';
import { emitHttpConnectionManager } from '../http-connection-manager/http-connection-manager.js';
import { tlsInspector } from '../protocol-sniffing/protocol-sniffing.js';
import { hostPart } from '../routing/host-intersection.js';
import { emitFilterChains, type L4Chain } from '../tcp-routing/filter-chains.js';
import { autoPassthroughChains } from './auto-passthrough.js';
import { familyOf, readServer, type ReadServer } from './gateway-servers.js';
import { gatewayTcpChains, gatewayTlsChains } from './gateway-l4.js';
import { emitServerTls, tlsConnectTimeout } from './gateway-tls.js';

/**
 * The listeners of one bound port of a gateway: `0.0.0.0_<port>`, and one for each `bind` address that servers name.
 * Plaintext HTTP, TLS and plain TCP exclude each other on a port: the first server decides, others are left out. A
 * listener without any usable server is not emitted, as it would refuse every connection.
 */
export function emitGatewayListener(input: GatewayPortInput): Listener[] {
  const byBind = new Map<string, ReadServer[]>();
  for (const server of input.servers.map(readServer)) {
    if (!server) continue;
    const bind = server.spec.bind || input.address || wildcardAddress;
    byBind.set(bind, [...(byBind.get(bind) ?? []), server]);
  }
  return [...byBind].flatMap(([bind, servers]) => emitBoundPort(bind, servers, input));
}

function emitBoundPort(bind: string, servers: readonly ReadServer[], input: GatewayPortInput): Listener[] {
  const [first] = servers;
  if (!first) return [];
  const kept = servers.filter((server) => familyOf(server) === familyOf(first));
  const name = listenerName(bind, input.bindPort);
  const filterChains = first.kind === 'http' ? [httpChain(first, name, input)] : emitServerChains(kept, name, input);
  if (filterChains.length === 0) return [];
  return [
    create(ListenerSchema, {
      name,
      address: bind.startsWith(unixScheme) ? pipeAddress(bind) : tcpAddress(bind, input.bindPort),
      trafficDirection: TrafficDirection.OUTBOUND,
      accessLog: emitListenerAccessLog(chainContext('gateway', input)),
      ...(familyOf(first) === 'tls' && { listenerFilters: [tlsInspector()] }),
      filterChains,
    }),
  ];
}

/** One chain for all plaintext HTTP servers of the port: its routes tell their hosts apart. */
function httpChain(server: ReadServer, name: string, input: GatewayPortInput): FilterChain {
  return create(FilterChainSchema, { filters: [httpManager(server, name, input)] });
}

function httpManager(server: ReadServer, name: string, input: GatewayPortInput): Filter {
  return emitHttpConnectionManager({
    statPrefix: `outbound_${name}`,
    routes: gatewayRouteName(server, input.bindPort) ?? '',
    context: chainContext('gateway', input),
  });
}

function emitServerChains(servers: readonly ReadServer[], name: string, input: GatewayPortInput): FilterChain[] {
  return emitFilterChains(servers.flatMap((server) => serverChains(server, name, input)));
}

function serverChains(server: ReadServer, name: string, input: GatewayPortInput): readonly L4Chain[] {
  if (server.kind === 'tcp') return gatewayTcpChains(server, input);
  if (server.kind === 'passthrough') return gatewayTlsChains(server, input);
  if (server.kind === 'auto-passthrough') return autoPassthroughChains(server, input);
  const http = server.kind === 'https';
  const transportSocket = emitServerTls(server.spec.tls ?? {}, {
    alpn: http ? ['h2', 'http/1.1'] : [],
    workloadCertificates: input.workloadCertificates,
    defaults: input.config.tlsDefaults,
    filesAsSecrets: true,
  });
  if (!transportSocket) return [];
  const filters = http ? [httpManager(server, name, input)] : gatewayTcpChains(server, input)[0]?.filters;
  const tls = { transportSocket, connectTimeout: tlsConnectTimeout };
  // What is inside may be led by the name that was asked for, as where TLS is passed on.
  if (!filters) return gatewayTlsChains(server, input).map((chain) => ({ ...chain, tls }));
  const hosts = server.spec.hosts.map(hostPart);
  const serverNames = hosts.includes('*') ? [] : hosts;
  return [{ match: { serverNames, subnets: [] }, filters, tls }];
}
