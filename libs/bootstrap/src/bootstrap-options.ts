import type { ProxySettings } from '@seine/istio';
import type { Proxy } from '@seine/model';

/** What the Envoy says of itself: the part of a Proxy that is not read off the Envoy itself. */
export type BootstrapNode = Pick<Proxy, 'type' | 'name' | 'namespace' | 'ipAddresses'> &
  Partial<
    Pick<
      Proxy,
      | 'dnsDomain'
      | 'labels'
      | 'workloadName'
      | 'serviceAccount'
      | 'locality'
      | 'network'
      | 'clusterId'
      | 'interceptionMode'
      | 'httpProxyPort'
      | 'appPorts'
      | 'outboundCidr'
      | 'workloadCertificates'
      | 'dnsCapture'
    >
  > & { readonly meshId?: string | undefined };

export interface BootstrapOptions {
  /** What the mesh, its ProxyConfigs and the pod's annotation say of this proxy. */
  readonly settings?: ProxySettings | undefined;
  readonly node: BootstrapNode;
  /**
   * The pilot: an IP address or a DNS name. With `identity`, the SPIFFE ID that pilot must prove, it is spoken to over
   * mutual TLS with the certificate that `agentSocket` serves; without, in plain text.
   */
  readonly xds: { readonly host: string; readonly port: number; readonly identity?: string | undefined };
  /** The agent's SDS socket, an absolute path: where the workload's certificate and the mesh's roots come from. */
  readonly agentSocket?: string | undefined;
  /** Envoy's admin interface; default address 127.0.0.1, or a Unix socket. It can end the process, so never anything wider. */
  readonly admin: { readonly address?: string | undefined; readonly port: number } | { readonly socketPath: string };
  /** What the two public listeners bind; default 0.0.0.0. */
  readonly statusAddress?: string | undefined;
  /** `/stats/prometheus`; Istio's port is 15090. 0 = no listener. */
  readonly prometheusPort: number;
  /** `/healthz/ready`; Istio's port is 15021. 0 = no listener. */
  readonly readyPort: number;
  /** `all` keeps every statistic; `istio` those Istio's sidecars keep, and the requests of each cluster. Default `all`. */
  readonly stats?: 'all' | 'istio' | undefined;
}
