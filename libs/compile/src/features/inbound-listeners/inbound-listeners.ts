import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { TrafficDirection } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type Listener, ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  FilterChainSchema,
  type ListenerFilter,
  ListenerFilterSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { OriginalDstSchema } from '@seine/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js';
import { OriginalSrcSchema } from '@seine/envoy/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js';
import type { InboundPort } from '@seine/model';
import { BlackHoleCluster } from '../../frame/cluster-names.js';
import { listenerName, tcpAddress, wildcardAddress } from '../../frame/listeners-address.js';
import { chainContext, type InboundInput } from '../../inputs.js';
import { emitListenerAccessLog } from '../access-log/access-log.js';
import { type InboundMtlsMode, inboundMode, seesTls, takesPlainText } from '../peer-authentication/inbound-mode.js';
import { httpInspector, sniffingTimeout, tlsInspector } from '../protocol-sniffing/protocol-sniffing.js';
import { isDialled } from '../sidecar/ingress-listener.js';
import { emitTcpProxy } from '../tcp-routing/tcp-proxy.js';
import { emitInboundChains, emitInboundPassthroughChains } from './inbound-chains.js';
import { inboundEntries } from './inbound-ports.js';

/** The socket mark by which TPROXY's iptables rules know the proxy's own packets (istio-iptables). */
const tproxyMark = 1337;

const wildcards: readonly (string | undefined)[] = [undefined, '', wildcardAddress, '::'];

/** The listener that iptables sends all inbound connections to (15006): a chain set for each port of the workload. */
export function emitVirtualInbound(input: InboundInput): Listener {
  const { config, proxy } = input;
  const context = chainContext('inbound', input);
  const entries = inboundEntries(input).filter(({ ingress }) => !ingress || !isDialled(ingress));
  const transparent = proxy.interceptionMode === 'TPROXY';
  const ports = entries.map(({ port }) => ({ ...port, mode: inboundMode(input, port.targetPort) }));
  return create(ListenerSchema, {
    name: 'virtualInbound',
    address: tcpAddress(wildcardAddress, config.proxyInboundListenPort),
    trafficDirection: TrafficDirection.INBOUND,
    accessLog: emitListenerAccessLog(context),
    // Waiting for a client's first bytes would block protocols in which the server speaks first.
    listenerFilters: [
      ...originalAddress(transparent),
      tlsInspector(portsOf(ports, (port) => !looksForTls(port))),
      httpInspector(portsOf(ports, (port) => !looksForHttp(port))),
    ],
    ...sniffingTimeout(config),
    ...(transparent && { transparent: true }),
    filterChains: [
      // A connection to the port itself was not redirected; passing it through would call this listener again.
      create(FilterChainSchema, {
        name: 'virtualInbound-blackhole',
        filterChainMatch: { destinationPort: config.proxyInboundListenPort },
        filters: [emitTcpProxy(BlackHoleCluster, BlackHoleCluster, context)],
      }),
      ...emitInboundPassthroughChains(inboundMode(input, undefined), context),
      ...undeclaredPorts(input, ports).flatMap((port) =>
        emitInboundPassthroughChains(inboundMode(input, port), context, port),
      ),
      ...entries.flatMap(({ port, ingress }) => {
        const bind = ingress?.bind || wildcardAddress;
        const mode = inboundMode(input, port.targetPort);
        return emitInboundChains({ port, tls: ingress?.tls, mode, bind, matchPort: true, context });
      }),
    ],
  });
}

interface PortInMode extends Pick<InboundPort, 'protocol' | 'targetPort'> {
  readonly mode: InboundMtlsMode;
}

/** Where neither TLS nor the protocol is to be found out, a client's first bytes are not waited for. */
function looksForTls({ protocol, mode }: PortInMode): boolean {
  return seesTls(mode) || (protocol === 'auto' && mode !== 'REFUSED');
}

function looksForHttp({ protocol, mode }: PortInMode): boolean {
  return protocol === 'auto' && takesPlainText(mode);
}

function portsOf(ports: readonly PortInMode[], chosen: (port: PortInMode) => boolean): readonly number[] {
  return ports.filter(chosen).map(({ targetPort }) => targetPort);
}

/** Ports of which a PeerAuthentication says something and no service anything. */
function undeclaredPorts({ mtls, config }: InboundInput, declared: readonly PortInMode[]): readonly number[] {
  return [...(mtls?.byPort.keys() ?? [])].filter(
    (port) => port !== config.proxyInboundListenPort && !declared.some(({ targetPort }) => targetPort === port),
  );
}

/**
 * A listener a port for what clients dial themselves, on the workload's own address, with the chains the port has in
 * virtualInbound; none where the proxy has no address. INTERCEPTION_MODE NONE: all ports. Else those that the Sidecar's
 * ingress gives `captureMode: NONE`. An ingress listener's `bind` goes before the workload's address.
 */
export function emitBoundInboundListeners(input: InboundInput): Listener[] {
  const { config, proxy } = input;
  const context = chainContext('inbound', input);
  const explicit = proxy.interceptionMode === 'NONE';
  return inboundEntries(input).flatMap(({ port, ingress }) => {
    if (!explicit && !(ingress && isDialled(ingress))) return [];
    // What iptables bring from the application may have to stand at all addresses of the port.
    const bind = wildcards.includes(ingress?.bind) ? proxy.ipAddresses[0] : ingress?.bind;
    if (bind === undefined) return [];
    const mode = inboundMode(input, port.targetPort);
    const found = { ...port, mode };
    const inspectors = [
      ...(looksForTls(found) ? [tlsInspector()] : []),
      ...(looksForHttp(found) ? [httpInspector()] : []),
    ];
    const listener = create(ListenerSchema, {
      name: listenerName(bind, port.targetPort),
      address: tcpAddress(bind, port.targetPort),
      trafficDirection: TrafficDirection.INBOUND,
      bindToPort: true,
      accessLog: emitListenerAccessLog(context),
      ...(inspectors.length > 0 && { listenerFilters: inspectors, ...sniffingTimeout(config) }),
      filterChains: emitInboundChains({ port, tls: ingress?.tls, mode, bind, matchPort: false, context }),
    });
    return [listener];
  });
}

/** Restores the address the client dialled and, under TPROXY, keeps the client's own towards the application. */
function originalAddress(transparent: boolean): ListenerFilter[] {
  const originalDst = create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.original_dst',
    configType: { case: 'typedConfig', value: toAny(OriginalDstSchema, {}) },
  });
  if (!transparent) return [originalDst];
  return [
    originalDst,
    create(ListenerFilterSchema, {
      name: 'envoy.filters.listener.original_src',
      configType: { case: 'typedConfig', value: toAny(OriginalSrcSchema, { mark: tproxyMark }) },
    }),
  ];
}
