import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type Filter,
  type FilterChain,
  type FilterChainMatchSchema,
  FilterChainSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { IstioIngressListener } from '@seine/istio';
import { type InboundPort, isHttp } from '@seine/model';
import type { ChainContext } from '../../inputs.js';
import { BlackHoleCluster, InboundPassthroughCluster, inboundClusterName } from '../../frame/cluster-names.js';
import { emitServerTls, tlsConnectTimeout } from '../gateway-listeners/gateway-tls.js';
import { emitHttpConnectionManager } from '../http-connection-manager/http-connection-manager.js';
import { plaintextHttpMatch } from '../protocol-sniffing/protocol-sniffing.js';
import { emitTcpFilters } from '../tcp-routing/tcp-filters.js';
import { emitTcpProxy } from '../tcp-routing/tcp-proxy.js';
import { emitInboundRoute } from './inbound-route.js';

/** How the clients of a port must come: PeerAuthentication's modes that are in force. */
export type InboundMtlsMode = 'DISABLE';

type Match = MessageInitShape<typeof FilterChainMatchSchema>;

/** One way into a port: what a connection must look like, and what is spoken on it. */
interface ChainShape {
  readonly speaks: 'http' | 'tcp';
  readonly match: Match;
}

/**
 * The chain set of one port by mTLS mode and protocol. A TCP chain without a transport condition takes TLS too, which
 * the application then terminates. Beside a chain with such a condition it would not do: Envoy looks no further than
 * the chains of the transport it found, so there TCP stands once for each.
 */
function chainShapes(protocol: InboundPort['protocol'], mode: InboundMtlsMode): readonly ChainShape[] {
  const sets: Readonly<Record<InboundMtlsMode, Readonly<Record<'http' | 'tcp' | 'auto', readonly ChainShape[]>>>> = {
    DISABLE: {
      http: [{ speaks: 'http', match: { transportProtocol: 'raw_buffer' } }],
      tcp: [{ speaks: 'tcp', match: {} }],
      auto: [
        { speaks: 'http', match: plaintextHttpMatch() },
        { speaks: 'tcp', match: { transportProtocol: 'raw_buffer' } },
        { speaks: 'tcp', match: { transportProtocol: 'tls' } },
      ],
    },
  };
  return sets[mode][protocol === 'auto' ? 'auto' : isHttp(protocol) ? 'http' : 'tcp'];
}

export interface InboundChainsOptions {
  readonly port: InboundPort;
  /** TLS of clients outside the mesh, which the sidecar ends (`ingress[].tls`). */
  readonly tls?: IstioIngressListener['tls'];
  readonly mode: InboundMtlsMode;
  /** The address in names of chains and statistics: `0.0.0.0`, or the workload's own. */
  readonly bind: string;
  /** Whether the chains must tell their port from others of one listener. */
  readonly matchPort: boolean;
  readonly context: ChainContext;
}

/** The filter chains of one declared inbound port. */
export function emitInboundChains(options: InboundChainsOptions): FilterChain[] {
  const { port, tls, mode, bind, matchPort } = options;
  const context = { ...options.context, port: port.targetPort };
  const clusterName = inboundClusterName(port.targetPort);
  const name = `${bind}_${port.targetPort}`;
  const filters: Readonly<Record<ChainShape['speaks'], () => Filter[]>> = {
    http: () => [
      emitHttpConnectionManager({
        statPrefix: `inbound_${name}`,
        routes: emitInboundRoute({ ...port, clusterName }),
        grpcWeb: port.protocol === 'GRPC-Web',
        context,
      }),
    ],
    tcp: () => emitTcpFilters(clusterName, clusterName, context),
  };
  const destination = matchPort && { destinationPort: port.targetPort };
  if (tls) {
    const { transportSocket, refused } = ingressTls(tls, isHttp(port.protocol));
    const terminated = refused
      ? [emitTcpProxy(BlackHoleCluster, BlackHoleCluster, context)]
      : filters[isHttp(port.protocol) ? 'http' : 'tcp']();
    const chain = create(FilterChainSchema, {
      name,
      filterChainMatch: { ...destination },
      filters: terminated,
      ...(transportSocket && { transportSocket, transportSocketConnectTimeout: tlsConnectTimeout }),
    });
    return [chain];
  }
  return chainShapes(port.protocol, mode).map(({ speaks, match }) =>
    create(FilterChainSchema, {
      name,
      filterChainMatch: { ...match, ...destination },
      filters: filters[speaks](),
    }),
  );
}

/**
 * The TLS side of an ingress listener, its certificates in files. Where some of these are not named nothing may get
 * past it, least of all plain text.
 */
function ingressTls(tls: NonNullable<IstioIngressListener['tls']>, http: boolean) {
  // Secrets are for gateways: a sidecar that waited for one would take no connection at all.
  const files = { ...tls, credentialName: undefined, credentialNames: undefined };
  const transportSocket = emitServerTls(files, { alpn: http ? ['h2', 'http/1.1'] : [] });
  return { transportSocket, refused: transportSocket === undefined };
}

/** The filter chains of ports that no service declares: on to the same port of the workload, by the same mTLS rules. */
export function emitInboundPassthroughChains(mode: InboundMtlsMode, context: ChainContext): FilterChain[] {
  return chainShapes('auto', mode).map(({ speaks, match }) =>
    speaks === 'http'
      ? create(FilterChainSchema, {
          name: 'virtualInbound-catchall-http',
          filterChainMatch: match,
          filters: [
            emitHttpConnectionManager({
              statPrefix: InboundPassthroughCluster,
              routes: emitInboundRoute({
                clusterName: InboundPassthroughCluster,
                servicePort: 0,
                serviceHost: '',
                protocol: 'auto',
              }),
              context,
            }),
          ],
        })
      : create(FilterChainSchema, {
          name: 'virtualInbound',
          filterChainMatch: match,
          filters: emitTcpFilters(InboundPassthroughCluster, InboundPassthroughCluster, context),
        }),
  );
}
