import type {
  ConnectionPoolSettings,
  ExtensionProvider,
  HTTPRetry,
  LocalityLoadBalancerSetting,
  MeshConfigSpec,
  OutlierDetection,
  ProxySettings,
  ZoneAwareLoadBalancerSetting,
} from '@seine/istio';

/** What DestinationRules stand on: a block that a rule leaves out is taken from here, as a whole. */
export interface DefaultTrafficPolicy {
  readonly connectionPool?: ConnectionPoolSettings | undefined;
  readonly outlierDetection?: OutlierDetection | undefined;
}

/** Names of `extensionProviders`, where no Telemetry says. */
export interface DefaultProviders {
  readonly tracing: readonly string[];
  readonly metrics: readonly string[];
  readonly accessLogging: readonly string[];
}

/** The settings of the whole mesh that shape compilation: the part of Istio's MeshConfig that Seine acts on. Durations in milliseconds. */
export interface MeshConfig {
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly outboundTrafficPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
  readonly connectTimeout: number;
  /** 0 = wait for ever. */
  readonly protocolDetectionTimeout: number;
  /** Where requests are logged when neither a Telemetry nor `defaultProviders` says; empty = nowhere. */
  readonly accessLogFile: string;
  /** A line, or JSON of its fields, for `accessLogEncoding`; empty = Istio's default. */
  readonly accessLogFormat: string;
  readonly accessLogEncoding: 'TEXT' | 'JSON';
  /** Whether connections that no filter chain takes are not logged. */
  readonly disableEnvoyListenerLog: boolean;
  /** Whether requests are traced when neither a Telemetry nor `defaultProviders` says. */
  readonly enableTracing: boolean;
  /** In order; Istio's own `prometheus`, `stackdriver` and `envoy` first. Names are compared without case. */
  readonly extensionProviders: readonly ExtensionProvider[];
  readonly defaultProviders: DefaultProviders;
  /** Settings of proxies, as written. */
  readonly defaultConfig: ProxySettings;
  readonly proxyListenPort: number;
  readonly proxyInboundListenPort: number;
  readonly proxyHttpPort: number;
  /** Retries of routes that say nothing of them, unless `defaultHttpRetryPolicy` does. */
  readonly defaultHttpRetryAttempts: number;
  readonly defaultHttpRetryPolicy?: HTTPRetry | undefined;
  readonly defaultTrafficPolicy?: DefaultTrafficPolicy | undefined;
  /** For services whose DestinationRule says nothing of localities; `enabled: false` turns failover off. Default on. */
  readonly localityLbSetting?: LocalityLoadBalancerSetting | undefined;
  /** Goes before `localityLbSetting`. */
  readonly zoneAwareLbSetting?: ZoneAwareLoadBalancerSetting | undefined;
  /** Whether HTTP/1.1 ports are called by HTTP/2 where a DestinationRule says nothing. Default DO_NOT_UPGRADE. */
  readonly h2UpgradePolicy?: 'DO_NOT_UPGRADE' | 'UPGRADE' | undefined;
  /** Keep-alive of connections to destinations whose rule states none. */
  readonly tcpKeepalive?: NonNullable<ConnectionPoolSettings['tcp']>['tcpKeepalive'];
  /** How long until a DNS name is looked up again after a failure (answers say so themselves). Default 60,000. */
  readonly dnsRefreshRate?: number | undefined;
  /** Whether proxies take HTTP/1.0, as istiod's PILOT_HTTP10 has it; a proxy may ask for it by its metadata HTTP10. Default no. */
  readonly http10?: boolean | undefined;
  /** `exportTo` of objects that state none: `*` (the default), `.`, or namespaces. */
  readonly defaultServiceExportTo?: readonly string[] | undefined;
  readonly defaultVirtualServiceExportTo?: readonly string[] | undefined;
  readonly defaultDestinationRuleExportTo?: readonly string[] | undefined;
  /** Whether mutual TLS is used towards workloads that have it. Default true. */
  readonly enableAutoMtls?: boolean | undefined;
  /** Deprecated by Istio: whether TLS without a CA is refused. */
  readonly verifyCertificateAtClient?: boolean | undefined;
  readonly trustDomainAliases?: readonly string[] | undefined;
  readonly inboundTrafficPolicy?: 'PASSTHROUGH' | 'LOCALHOST' | undefined;
  /** Default BASE, as RFC 3986 says. */
  readonly pathNormalization?: NonNullable<MeshConfigSpec['pathNormalization']>['normalization'];
  readonly serviceSettings?: MeshConfigSpec['serviceSettings'];
  readonly discoverySelectors?: MeshConfigSpec['discoverySelectors'];
  readonly meshMTLS?: MeshConfigSpec['meshMTLS'];
  readonly tlsDefaults?: MeshConfigSpec['tlsDefaults'];
  /**
   * Whether the platform deploys a gateway for each Gateway of the Gateway API; where nobody does (the default), the ingress
   * gateway serves those that have none of their own.
   */
  readonly deploysGateways?: boolean | undefined;
  /** Whether mixer's checks and quotas are off. Default false. */
  readonly disablePolicyChecks?: boolean | undefined;
  /** Whether requests pass that mixer gives no answer for. Default false. */
  readonly policyCheckFailOpen?: boolean | undefined;
  readonly ingressClass?: string | undefined;
  readonly ingressService?: string | undefined;
  readonly ingressSelector?: string | undefined;
  readonly ingressControllerMode?: MeshConfigSpec['ingressControllerMode'];
  readonly inboundClusterStatName?: string | undefined;
  readonly outboundClusterStatName?: string | undefined;
}

export const defaultMeshConfig: MeshConfig = Object.freeze({
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  clusterDomain: 'cluster.local',
  outboundTrafficPolicy: 'ALLOW_ANY',
  connectTimeout: 10_000,
  protocolDetectionTimeout: 0,
  accessLogFile: '',
  accessLogFormat: '',
  accessLogEncoding: 'TEXT',
  disableEnvoyListenerLog: false,
  enableTracing: true,
  extensionProviders: Object.freeze([
    Object.freeze({ name: 'prometheus', prometheus: {} }),
    Object.freeze({ name: 'stackdriver', stackdriver: {} }),
    Object.freeze({ name: 'envoy', envoyFileAccessLog: Object.freeze({ path: '/dev/stdout' }) }),
  ]),
  // Istio's installers switch metrics on.
  defaultProviders: Object.freeze({ tracing: [], metrics: ['prometheus'], accessLogging: [] }),
  defaultConfig: Object.freeze({}),
  proxyListenPort: 15001,
  proxyInboundListenPort: 15006,
  proxyHttpPort: 15007,
  defaultHttpRetryAttempts: 2,
});
