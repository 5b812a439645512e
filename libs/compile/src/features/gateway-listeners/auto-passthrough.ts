import { hostMatches, type MeshService, type ServicePort } from '@seine/model';
import { sniClusterName } from '../../frame/cluster-names.js';
import { chainContext, type DestinationFacts, type GatewayPortInput } from '../../inputs.js';
import { hostPart } from '../routing/host-intersection.js';
import { subsetsOf } from '../subsets/traffic-policy.js';
import type { L4Chain } from '../tcp-routing/filter-chains.js';
import { emitTcpFilters } from '../tcp-routing/tcp-filters.js';
import type { ReadServer } from './gateway-servers.js';

/** What proxies of the mesh offer by ALPN when they call each other by mutual TLS; nobody else does. */
const meshProtocols = ['istio', 'istio-peer-exchange', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];

/**
 * The chains of an AUTO_PASSTHROUGH server: one for each service of the mesh, port and subset that its hosts cover, by
 * the SNI that sidecars of other networks send, which is the cluster's name. Whoever connects must speak the mesh's mutual
 * TLS; the gateway does not end it, so only workloads that demand it are safe behind (CVE-2021-31921).
 */
export function autoPassthroughChains(server: ReadServer, input: GatewayPortInput): readonly L4Chain[] {
  const hosts = server.spec.hosts.map(hostPart);
  return (input.reachable ?? [])
    .filter(({ host }) => hosts.some((pattern) => pattern === '*' || hostMatches(pattern, host)))
    .flatMap((facts) => sniClusterNames(facts))
    .map((name) => ({
      match: { serverNames: [name], subnets: [], applicationProtocols: meshProtocols },
      filters: emitTcpFilters(name, name, chainContext('gateway', input)),
    }));
}

/** Names of all clusters through which an AUTO_PASSTHROUGH gateway reaches a service: none for what is outside. */
export function sniClusterNames({ service, rule }: Pick<DestinationFacts, 'service' | 'rule'>): readonly string[] {
  if (!service || service.external) return [];
  const subsets = ['', ...subsetsOf(rule).map(({ name }) => name)];
  return tcpPorts(service).flatMap(({ port }) => subsets.map((subset) => sniClusterName(port, subset, service.host)));
}

function tcpPorts({ ports }: MeshService): readonly ServicePort[] {
  return ports.filter(({ protocol }) => protocol !== 'UDP');
}
