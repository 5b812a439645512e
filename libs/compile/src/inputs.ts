import type {
  AuthorizationPolicy,
  ConnectionPoolSettings,
  DestinationRule,
  Gateway,
  RateLimit,
  RequestAuthentication,
  Sidecar,
  Telemetry,
  TrafficExtension,
  VirtualService,
  WasmPlugin,
} from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import type {
  Endpoint,
  KeySet,
  Locality,
  MeshConfig,
  MeshService,
  Proxy,
  ServiceEndpoints,
  WasmModule,
  Workload,
} from '@seine/model';
import type { PeerTrust } from './features/peer-metadata/peer-metadata.js';
import type { DiscoveryClient } from './features/discovery-type/discovery-type.js';
import type { InboundMtls } from './features/peer-authentication/peer-authentication.js';
import type { OutboundFallback } from './features/outbound-traffic-policy/outbound-fallback.js';
import type { LocalityDefaults } from './features/locality/locality-setting.js';
import type { MixerReports } from './features/access-log/mixer-log.js';
import type { ProviderClusters } from './telemetry/providers.js';
import type { InboundMixer } from './features/mixer-policy/inbound-plan.js';

/**
 * The keys of compilation. Each `emit…` function of this library takes one of these and nothing else: no ambient
 * config, no clock, no lookups. The pipeline memoizes on the identities of the fields, so a field more than a resource
 * really reads costs recompilation, and a field it reads from elsewhere would be a bug.
 */

/** On which side of a proxy a filter chain stands. */
export type ChainRole = 'outbound' | 'inbound' | 'gateway';

/** A WasmPlugin or TrafficExtension that selects a proxy, with what became of its module (Lua has none: `missing`). */
export interface ChainExtension {
  readonly resource: WasmPlugin | TrafficExtension;
  readonly module: WasmModule;
}

/**
 * The resources that select a proxy and say something of its filter chains. One object for all proxies that the same
 * resources select; a list that is equal is the same list.
 */
export interface ChainPolicies {
  /** Those of the root namespace first, then the namespace's, then the workload's own; oldest first in each. */
  readonly telemetry: readonly Telemetry[];
  /** All that select the proxy, oldest first. */
  readonly extensions: readonly ChainExtension[];
  /** Those of the root namespace first; none on the outbound side, as they limit what a proxy takes in. */
  readonly rateLimits: readonly RateLimit[];
  /** All that select the proxy, those of the root namespace first; none on the outbound side, where nobody comes in. */
  readonly authorization: readonly AuthorizationPolicy[];
  /** HTTP chains have only the place for `authorization`: the rules come as a resource of their own. Default no. */
  readonly authorizationDiscovered?: boolean | undefined;
  /** Likewise. */
  readonly requestAuthentications: readonly RequestAuthentication[];
  /** Of the issuers that `requestAuthentications` name those keys that had to be fetched, as far as they are known. */
  readonly keySets: readonly KeySet[];
  /** Some service that the proxy calls keeps sessions; default no. */
  readonly sessions?: boolean | undefined;
  /** Some service that the proxy calls may take mutual TLS, and the proxy has a certificate to show; default no. */
  readonly mutualTls?: boolean | undefined;
  /** The services of extension providers that the proxy sees; absent = none. */
  readonly providerClusters?: ProviderClusters | undefined;
  /** What mixer's rules come to for those who come in; absent = nothing. */
  readonly mixer?: InboundMixer | undefined;
  /** What mixer's report rules look at of what the proxy tells; absent = no rule may be about it. */
  readonly mixerReports?: MixerReports | undefined;
  /** What traces call the proxy, where its tracer does not find out by itself. */
  readonly serviceName?: string | undefined;
}

export const noPolicies: ChainPolicies = Object.freeze({
  telemetry: [],
  extensions: [],
  rateLimits: [],
  authorization: [],
  requestAuthentications: [],
  keySets: [],
});

/** What every filter chain is made with. */
export interface ChainContext {
  readonly role: ChainRole;
  readonly policies: ChainPolicies;
  /**
   * What `match.ports` of extensions is about: inbound where the workload listens, outbound the service's port, of a gateway
   * the one it binds. Absent where a chain has many, or none.
   */
  readonly port?: number | undefined;
  /** Inbound, where callers have identities: what their own words are worth. Absent: nothing is looked at. */
  readonly peers?: PeerTrust | undefined;
  readonly config: MeshConfig;
}

/** What the inputs of listeners have that a chain's context is made of. */
interface ChainInput {
  readonly policies?: ChainPolicies | undefined;
  readonly config: MeshConfig;
  readonly port?: number | undefined;
  readonly bindPort?: number | undefined;
}

/** The chain context of an input. */
export function chainContext(
  role: ChainRole,
  { policies = noPolicies, config, port, bindPort = port }: ChainInput,
): ChainContext {
  return { role, policies, config, port: bindPort };
}

/** A destination host as one client sees it. */
export interface DestinationFacts {
  /** Fully qualified. */
  readonly host: string;
  /** Absent: no such service is visible to the client. */
  readonly service: MeshService | undefined;
  /** The DestinationRule in force for this client and host (lookup order and merging are done). */
  readonly rule: DestinationRule | undefined;
}

/** Who asks: only what routes may test. */
export interface RouteClient {
  /** `mesh` for sidecars, `namespace/name` of the Gateway for gateways. */
  readonly gateway: string;
  readonly namespace: string;
  /** The client's labels, cut down to those that some `sourceLabels` tests; same content, same object. */
  readonly labels: Readonly<Record<string, string>>;
  /** It has an identity, and says in requests which workload it is. */
  readonly namesItself?: boolean | undefined;
}

/** One virtual host: a service's (with or without a VirtualService), or a VirtualService host no service has. */
export interface VirtualHostInput {
  /** `reviews.default.svc.cluster.local:9080`. */
  readonly name: string;
  readonly domains: readonly string[];
  /** The listener's port: what `match.port` tests, and the default destination port. */
  readonly port: number;
  readonly service: MeshService | undefined;
  readonly virtualService: VirtualService | undefined;
  /** Facts of every host that `destinationHosts(virtualService)` names, and of `service`; order is stable. */
  readonly destinations: readonly DestinationFacts[];
  readonly client: RouteClient;
  /** In `http_proxy`: CONNECT requests are taken too, as tunnels to the service's port. Default false. */
  readonly connect?: boolean | undefined;
  readonly config: MeshConfig;
}

/** All clusters (each HTTP/TCP port, each subset) through which a client reaches one service. */
export interface OutboundClustersInput {
  readonly service: MeshService;
  readonly rule: DestinationRule | undefined;
  readonly config: MeshConfig;
  /** Only for resolutions whose endpoints live in the cluster (dns, dns-round-robin): otherwise undefined, as EDS carries them. */
  readonly inlineEndpoints: ServiceEndpoints | undefined;
  /** As in LoadAssignmentsInput, for endpoints that live in the cluster. */
  readonly clientLocality?: Locality | undefined;
  readonly clientLabels?: Readonly<Record<string, string>> | undefined;
  readonly proxyType: Proxy['type'];
  /** A gRPC library: it refuses what only Envoy knows (LEAST_REQUEST, TLS from files, DNS with several addresses). */
  readonly proxyless?: boolean | undefined;
  /** interceptionMode NONE: connections have no original destination, so headless services are EDS for this client. */
  readonly withoutOriginalDestination?: boolean | undefined;
  /** An agent serves the client's own certificate by SDS (see `Proxy.workloadCertificates`); default no. */
  readonly workloadCertificates?: boolean | undefined;
  /**
   * Ports at which every endpoint takes mutual TLS. Only for clients with certificates, of services that some of them reach
   * by the original destination (see `mayUseOriginalDestination`); default none.
   */
  readonly mutualPorts?: readonly number[] | undefined;
}

/** Load assignments of all EDS clusters of one service. */
export interface LoadAssignmentsInput {
  readonly service: MeshService;
  readonly endpoints: ServiceEndpoints | undefined;
  readonly rule: DestinationRule | undefined;
  /** The client's locality where endpoints depend on it (see `dependsOnClientLocality`); else undefined, so that all clients share. */
  readonly clientLocality: Locality | undefined;
  /** The client's labels that the rule's `failoverPriority` names (see `clientLabelsForFailover`); absent where it names none. */
  readonly clientLabels?: Readonly<Record<string, string>> | undefined;
  readonly config: LocalityDefaults & Partial<Pick<MeshConfig, 'defaultProviders'>>;
  /** Where the kind of client decides on EDS (see `mayUseOriginalDestination`): that kind. Absent: all clusters use it. */
  readonly client?: DiscoveryClient | undefined;
}

/** One outbound listener of iptables mode: everything that clients reach on one port. */
export interface OutboundListenerInput {
  readonly port: number;
  /** Services with this port that the client sees, sorted by host. */
  readonly services: readonly MeshService[];
  /** VirtualServices with tcp or tls routes that may concern them (mesh gateway), oldest first. */
  readonly l4VirtualServices: readonly VirtualService[];
  readonly destinations: readonly DestinationFacts[];
  readonly client: RouteClient;
  /** Where connections go that no service takes; as the mesh's outboundTrafficPolicy where absent. */
  readonly fallback?: OutboundFallback | undefined;
  readonly policies?: ChainPolicies | undefined;
  readonly config: MeshConfig;
}

/** What stands beside one workload: inbound listeners and clusters read it, nothing else does. */
export interface InboundInput {
  readonly proxy: Proxy;
  readonly workload: Workload | undefined;
  readonly sidecar: Sidecar | undefined;
  /** What DestinationRules allow to each target port: the server's side has to have room for what clients may send. */
  readonly pools?: InboundPools | undefined;
  readonly policies?: ChainPolicies | undefined;
  /** What PeerAuthentications come to; both are taken at all ports where absent. */
  readonly mtls?: InboundMtls | undefined;
  readonly config: MeshConfig;
}

/** Connection pools by target port. */
export type InboundPools = Readonly<Record<number, ConnectionPoolSettings>>;

/** One port of a gateway workload with every server that the selected Gateways put on it. */
export interface GatewayPortInput {
  /** The port the Envoy binds: the Gateway's port through the gateway Service's targetPort. */
  readonly bindPort: number;
  /** The address to bind where a server names none: the gateway's own on a shared machine; default all. */
  readonly address?: string | undefined;
  /** In order of creation, then namespace/name. */
  readonly servers: readonly GatewayServer[];
  /** VirtualServices with tcp or tls routes bound to one of the servers' Gateways, oldest first. Empty for a port of HTTP servers only. */
  readonly l4VirtualServices: readonly VirtualService[];
  /** Facts of every host those name; empty likewise. */
  readonly destinations: readonly DestinationFacts[];
  readonly policies?: ChainPolicies | undefined;
  /** Whether an agent serves the gateway's own certificate by SDS (see `Proxy.workloadCertificates`); default no. */
  readonly workloadCertificates?: boolean | undefined;
  /** What AUTO_PASSTHROUGH servers lead to; empty where the port has none. */
  readonly reachable?: readonly DestinationFacts[] | undefined;
  readonly config: MeshConfig;
}

export interface GatewayServer {
  readonly gateway: Gateway;
  /** Index into `gateway.spec.servers`. */
  readonly index: number;
}

export type AnyObject = ConfigObject;
export type { Endpoint };
