import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { fromBinary } from '@bufbuild/protobuf';
import type { FilterChain, FilterChainMatch } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { Listener } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { TcpProxySchema } from '@seine/envoy/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';

/** A listener in a few words, for tables of expectations. */
export interface ListenerSummary {
  readonly name: string;
  /** Listener filters by the last part of their names. */
  readonly inspectors: readonly string[];
  /** `[conditions] → http rds:9080`, `→ http inline:inbound|9080||`, `→ tcp cluster`, `→ tcp a*20 b*80`. */
  readonly chains: readonly string[];
}

/** The default chain, where there is one, comes last as `default → …`. */
export function summarizeListener(listener: Listener): ListenerSummary {
  const { defaultFilterChain } = listener;
  return {
    name: listener.name,
    inspectors: listener.listenerFilters.map(({ name }) => name.slice(name.lastIndexOf('.') + 1)),
    chains: [
      ...listener.filterChains.map(
        (chain) => `[${conditions(chain.filterChainMatch)}]${chain.transportSocket ? ' tls' : ''} → ${target(chain)}`,
      ),
      ...(defaultFilterChain ? [`default → ${target(defaultFilterChain)}`] : []),
    ],
  };
}

/** The connection manager of a chain; undefined for a chain that forwards bytes. */
export function connectionManagerOf(chain: FilterChain | undefined): HttpConnectionManager | undefined {
  const config = chain?.filters.at(-1)?.configType;
  return config?.case === 'typedConfig' ? anyUnpack(config.value, HttpConnectionManagerSchema) : undefined;
}

function conditions(match: FilterChainMatch | undefined): string {
  if (!match) return '';
  return [
    match.destinationPort === undefined ? '' : `port ${match.destinationPort}`,
    ...match.prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen ?? 0}`),
    ...match.serverNames.map((name) => `sni ${name}`),
    match.transportProtocol,
    match.applicationProtocols.join('|'),
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function target(chain: FilterChain): string {
  const manager = connectionManagerOf(chain);
  if (manager) {
    const { case: kind, value } = manager.routeSpecifier;
    if (kind === 'rds') return `http rds:${value.routeConfigName}`;
    return `http inline:${kind === 'routeConfig' ? value.name : ''}`;
  }
  const config = chain.filters.at(-1)?.configType;
  if (config?.case !== 'typedConfig') return 'nothing';
  const { clusterSpecifier } = fromBinary(TcpProxySchema, config.value.value);
  if (clusterSpecifier.case === 'cluster') return `tcp ${clusterSpecifier.value}`;
  const clusters = clusterSpecifier.case === 'weightedClusters' ? clusterSpecifier.value.clusters : [];
  return `tcp ${clusters.map(({ name, weight }) => `${name}*${weight}`).join(' ')}`;
}
