import type { Locality } from './endpoint.js';

export type ProxyType = 'sidecar' | 'router';

/** How traffic reaches the sidecar: iptables (REDIRECT, TPROXY), or explicitly by bound listeners (NONE). */
export type InterceptionMode = 'REDIRECT' | 'TPROXY' | 'NONE';

/** What a client has proved to be, by its certificate or a token. */
export interface VerifiedIdentity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * A connected proxy, from its xDS node (id `sidecar~IP~pod.ns~ns.svc.cluster.local` and metadata; Istio's names).
 * Parsed once a stream and frozen.
 */
export interface Proxy {
  readonly id: string;
  readonly type: ProxyType;
  /** The instance: `reviews-v1-abc` of `sidecar~…~reviews-v1-abc.default~…`. */
  readonly name: string;
  readonly namespace: string;
  readonly ipAddresses: readonly string[];
  /** `default.svc.cluster.local`: what short names are completed with. */
  readonly dnsDomain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly workloadName: string;
  readonly serviceAccount: string;
  readonly locality: Locality;
  readonly network: string;
  /** The Kubernetes node it runs on (NODE_NAME), where known. */
  readonly nodeName?: string | undefined;
  readonly clusterId: string;
  /** What the node's metadata says in text, by key: what EnvoyFilters ask for. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly interceptionMode: InterceptionMode;
  /** `major.minor.patch`, or empty where the client is not Envoy. */
  readonly envoyVersion: string;
  /** GENERATOR=grpc: a gRPC library that speaks xDS itself. */
  readonly proxyless: boolean;
  /** INTERCEPTION_MODE NONE: the port of the bound HTTP proxy listener; 0 = none. (HTTP_PROXY_PORT) */
  readonly httpProxyPort: number;
  /**
   * INTERCEPTION_MODE NONE (metadata SEINE_APP_PORTS, `9080=19080,…`): where the application really listens for each
   * inbound target port, known only to the inbound cluster.
   */
  readonly appPorts: ReadonlyMap<number, number>;
  /** INTERCEPTION_MODE NONE (metadata SEINE_OUTBOUND_CIDR, `127.4.7.0/24`): loopback block for TCP and gRPC services, one address a service. Empty = none. */
  readonly outboundCidr: string;
  /** SEINE_WORKLOAD_SDS: an agent beside the proxy serves the workload's certificate (`default`, `ROOTCA`) by the cluster `sds-grpc`. */
  readonly workloadCertificates: boolean;
  /** DNS_CAPTURE: serve mesh names by Envoy's DNS filter on 15053. */
  readonly dnsCapture: boolean;
  /** What its client has proved to be: `namespace` and `serviceAccount` are those. Undefined on plain text, where nobody proves anything. */
  readonly verifiedIdentity?: VerifiedIdentity | undefined;
  /** The Envoy has said what it is made of, and the runtime for WebAssembly is not among it. Default false. */
  readonly lacksWasm?: boolean | undefined;
  /** The Envoy has said that it has the HTTP filter that stands for others (envoy.filters.http.filter_chain). Default false. */
  readonly hasFilterChain?: boolean | undefined;
}
