/** Region, zone and sub-zone; the empty string where unknown. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** Parses Istio's `region/zone/subzone`. */
export function parseLocality(text: string | undefined): Locality {
  const [region = '', zone = '', subzone = ''] = (text ?? '').split('/');
  return { region, zone, subzone };
}

export type EndpointHealth = 'healthy' | 'unhealthy' | 'draining';

/** One address that serves one port of a service. */
export interface Endpoint {
  /** IP, DNS name (dns resolutions), or `unix:///path`. */
  readonly address: string;
  /** The port the workload listens on; 0 for a unix socket. */
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: Locality;
  /** Relative weight, 1 or more. */
  readonly weight: number;
  readonly network: string;
  /** The account's name, in the namespace of `workload`; empty where none is known. */
  readonly serviceAccount: string;
  readonly health: EndpointHealth;
  /** `istio` when a sidecar terminates mTLS there (label security.istio.io/tlsMode), else `disabled`. */
  readonly tlsMode: 'istio' | 'disabled';
  readonly workload: { readonly name: string; readonly namespace: string };
  /** The Kubernetes node it runs on, where known. */
  readonly nodeName?: string | undefined;
  /** The name a pod of a headless service has within it: `mysql-0` of `mysql-0.mysql.default.svc…`. */
  readonly hostname?: string | undefined;
}

/** The endpoints of one service by service port number; order is stable (by address, then port). */
export interface ServiceEndpoints {
  readonly host: string;
  readonly byPort: ReadonlyMap<number, readonly Endpoint[]>;
}
