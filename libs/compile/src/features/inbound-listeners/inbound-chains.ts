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
import { emitMixerRoute } from '../mixer-policy/mixer-policy.js';
import type { InboundMtlsMode } from '../peer-authentication/inbound-mode.js';
import type { PeerTrust } from '../peer-metadata/peer-metadata.js';
import { emitMutualTls } from '../peer-authentication/mutual-tls.js';
import { singleIdentity } from '../peer-authentication/single-identity.js';
import { plaintextHttpMatch } from '../protocol-sniffing/protocol-sniffing.js';
import { emitTcpFilters } from '../tcp-routing/tcp-filters.js';
import { emitTcpProxy } from '../tcp-routing/tcp-proxy.js';
import { emitInboundRoute } from './inbound-route.js';

type Match = MessageInitShape<typeof FilterChainMatchSchema>;

/** One way into a port: what a connection must look like, and what is spoken on it. */
interface ChainShape {
  /** `nothing`: what comes this way is cut off. */
  readonly speaks: 'http' | 'tcp' | 'nothing';
  readonly match: Match;
  /** Within mutual TLS, which the sidecar ends. */
  readonly mutual?: true;
}

/** By ALPN a client's sidecar says that it speaks mutual TLS, and whether there is HTTP within (Istio's names). */
const meshHttpAlpns = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
const meshTcpAlpns = ['istio-peer-exchange', 'istio'];

const plain: Match = { transportProtocol: 'raw_buffer' };
const anyTls: Match = { transportProtocol: 'tls' };
const meshTls: Match = { transportProtocol: 'tls', applicationProtocols: [...meshTcpAlpns, ...meshHttpAlpns] };
const meshHttp: Match = { transportProtocol: 'tls', applicationProtocols: meshHttpAlpns };
const meshTcp: Match = { transportProtocol: 'tls', applicationProtocols: meshTcpAlpns };
const refused: ChainShape = { speaks: 'nothing', match: {} };

/**
 * The chain set of one port by mTLS mode and protocol, as Istio has them. A TCP chain without a transport condition takes
 * TLS too, which the application then terminates. Beside a chain with such a condition it would not do: Envoy looks no
 * further than the chains of the transport it found, so there TCP stands once for each.
 */
const chainShapes: Readonly<Record<InboundMtlsMode, Readonly<Record<'http' | 'tcp' | 'auto', readonly ChainShape[]>>>> =
  {
    DISABLE: {
      http: [{ speaks: 'http', match: plain }],
      tcp: [{ speaks: 'tcp', match: {} }],
      auto: [
        { speaks: 'http', match: plaintextHttpMatch() },
        { speaks: 'tcp', match: plain },
        { speaks: 'tcp', match: anyTls },
      ],
    },
    PERMISSIVE: {
      http: [
        { speaks: 'http', match: meshTls, mutual: true },
        { speaks: 'http', match: plain },
      ],
      tcp: [
        { speaks: 'tcp', match: meshTls, mutual: true },
        { speaks: 'tcp', match: plain },
        { speaks: 'tcp', match: anyTls },
      ],
      auto: [
        { speaks: 'http', match: meshHttp, mutual: true },
        { speaks: 'http', match: plaintextHttpMatch() },
        { speaks: 'tcp', match: meshTcp, mutual: true },
        { speaks: 'tcp', match: plain },
        { speaks: 'tcp', match: anyTls },
      ],
    },
    STRICT: {
      http: [{ speaks: 'http', match: anyTls, mutual: true }],
      tcp: [{ speaks: 'tcp', match: anyTls, mutual: true }],
      auto: [
        { speaks: 'http', match: meshHttp, mutual: true },
        { speaks: 'tcp', match: anyTls, mutual: true },
      ],
    },
    REFUSED: { http: [refused], tcp: [refused], auto: [refused] },
  };

function shapesOf(protocol: InboundPort['protocol'], mode: InboundMtlsMode): readonly ChainShape[] {
  return chainShapes[mode][protocol === 'auto' ? 'auto' : isHttp(protocol) ? 'http' : 'tcp'];
}

/** What of a chain mutual TLS makes. @param filters that stand behind it */
function withinTransport({ mutual, speaks }: ChainShape, filters: Filter[], { config }: ChainContext) {
  if (!mutual) return { filters };
  return {
    filters: [singleIdentity(config), ...filters],
    // Envoy's HTTP says nothing before it has heard a byte, and the first filter lets none through of who has no identity.
    transportSocket: emitMutualTls(config, speaks === 'http' ? 'first-byte' : 'handshake'),
    transportSocketConnectTimeout: tlsConnectTimeout,
  };
}

/** What callers say of themselves is looked at where some of them have identities. */
function peersOf({ mutual }: ChainShape, mode: InboundMtlsMode): PeerTrust | undefined {
  return mode === 'DISABLE' ? undefined : mutual ? 'believed' : 'stripped';
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
  const cutOff = (): Filter[] => [emitTcpProxy(BlackHoleCluster, BlackHoleCluster, context)];
  const filters: Readonly<Record<ChainShape['speaks'], (peers?: PeerTrust) => Filter[]>> = {
    nothing: cutOff,
    http: (peers) => [
      emitHttpConnectionManager({
        statPrefix: `inbound_${name}`,
        routes: emitInboundRoute({ ...port, clusterName, perFilter: emitMixerRoute(context) }),
        grpcWeb: port.protocol === 'GRPC-Web',
        context: { ...context, peers },
      }),
    ],
    tcp: () => emitTcpFilters(clusterName, clusterName, context),
  };
  const destination = matchPort && { destinationPort: port.targetPort };
  // Two kinds of TLS at one port would contradict each other: the mesh's own goes before (Istio).
  if (tls && mode === 'DISABLE') {
    const transportSocket = ingressTls(tls, isHttp(port.protocol));
    const terminated = transportSocket ? filters[isHttp(port.protocol) ? 'http' : 'tcp']() : cutOff();
    const chain = create(FilterChainSchema, {
      name,
      filterChainMatch: { ...destination },
      filters: terminated,
      ...(transportSocket && { transportSocket, transportSocketConnectTimeout: tlsConnectTimeout }),
    });
    return [chain];
  }
  return shapesOf(port.protocol, mode).map((shape) =>
    create(FilterChainSchema, {
      name,
      filterChainMatch: { ...shape.match, ...destination },
      ...withinTransport(shape, filters[shape.speaks](peersOf(shape, mode)), context),
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
  return emitServerTls(files, { alpn: http ? ['h2', 'http/1.1'] : [] });
}

/**
 * The filter chains of what no service declares: on to the same port of the workload, by the same mTLS rules.
 * @param port absent: of all ports that have no chains of their own
 */
export function emitInboundPassthroughChains(
  mode: InboundMtlsMode,
  context: ChainContext,
  port?: number,
): FilterChain[] {
  const statPrefix = InboundPassthroughCluster;
  const filters: Readonly<Record<ChainShape['speaks'], (peers?: PeerTrust) => Filter[]>> = {
    nothing: () => [emitTcpProxy(BlackHoleCluster, BlackHoleCluster, context)],
    http: (peers) => [
      emitHttpConnectionManager({
        statPrefix,
        routes: emitInboundRoute({
          ...{ clusterName: statPrefix, servicePort: 0, serviceHost: '', protocol: 'auto' },
          perFilter: emitMixerRoute(context),
        }),
        context: { ...context, peers },
      }),
    ],
    tcp: () => emitTcpFilters(statPrefix, statPrefix, context),
  };
  return shapesOf('auto', mode).map((shape) =>
    create(FilterChainSchema, {
      name: shape.speaks === 'http' ? 'virtualInbound-catchall-http' : 'virtualInbound',
      filterChainMatch: { ...shape.match, ...(port !== undefined && { destinationPort: port }) },
      ...withinTransport(shape, filters[shape.speaks](peersOf(shape, mode)), context),
    }),
  );
}
