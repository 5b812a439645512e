import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type FilterChain, FilterChainSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import type { ChainContext } from '../../inputs.js';
import { BlackHoleCluster } from '../../frame/cluster-names.js';
import { tcpAddress, wildcardAddress } from '../../frame/listeners-address.js';
import { emitListenerAccessLog } from '../access-log/access-log.js';
import type { OutboundFallback } from '../outbound-traffic-policy/outbound-fallback.js';
import { emitTcpProxy } from '../tcp-routing/tcp-proxy.js';

/**
 * The listener that iptables sends all outbound connections to. It hands each to the listener of its original
 * destination; what no listener takes goes where outboundTrafficPolicy says.
 */
export function emitVirtualOutbound(fallback: OutboundFallback, context: ChainContext): Listener {
  const { config } = context;
  return create(ListenerSchema, {
    name: 'virtualOutbound',
    address: tcpAddress(wildcardAddress, config.proxyListenPort),
    trafficDirection: TrafficDirection.OUTBOUND,
    useOriginalDst: true,
    accessLog: emitListenerAccessLog(context),
    filterChains: [
      // A connection to the port itself was not redirected; passing it through would call this listener again.
      create(FilterChainSchema, {
        name: 'virtualOutbound-blackhole',
        filterChainMatch: { destinationPort: config.proxyListenPort },
        filters: [emitTcpProxy(BlackHoleCluster, BlackHoleCluster, context)],
      }),
      emitCatchAllChain('virtualOutbound-catchall-tcp', fallback, context),
    ],
  });
}

/** Where connections to unknown destinations go, as outboundTrafficPolicy says. */
export function emitCatchAllChain(name: string, { tcp }: OutboundFallback, context: ChainContext): FilterChain {
  return create(FilterChainSchema, { name, filters: [emitTcpProxy(tcp, tcp, context)] });
}
