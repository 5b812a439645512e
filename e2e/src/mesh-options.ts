import type { Role } from '@seine/bookinfo';
import type { IdentityOptions } from './mesh-identity.js';
import type { ServiceYaml } from './mesh-yaml.js';

export interface WorkloadOptions {
  /** `reviews-v1` */
  readonly name: string;
  /** Label `app`, and the Service that selects it; default the name up to its last dash. */
  readonly app?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether it has an Envoy in front; without one it is reached directly. */
  readonly sidecar?: boolean;
  /** In a mesh of identities; default the `app` label. */
  readonly serviceAccount?: string;
  /** In a mesh of identities, `host:port/path`: where its application has metrics that the agent merges. */
  readonly scrape?: string;
  /** Behind its sidecar is this program of the sample application, which calls others, instead of the EchoServer. */
  readonly sample?: Role;
}

export interface MeshOptions {
  /** Upstreams, each an EchoServer on an address of its own. */
  readonly workloads?: readonly WorkloadOptions[];
  /** Services beyond the one an `app` label gets. */
  readonly services?: readonly ServiceYaml[];
  /** Whether there is an ingress gateway. */
  readonly gateway?: boolean;
  /** Whether there is an egress gateway: Service `istio-egressgateway`, ports 80 and 443. */
  readonly egressGateway?: boolean;
  readonly variant?: 'delta' | 'sotw';
  /** Where the client is. */
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
  /** More YAML, by file name without ending. */
  readonly config?: Readonly<Record<string, string>>;
  /** Further arguments of pilot. */
  readonly pilotArguments?: readonly string[];
  /**
   * A citadel and an agent that gives each Envoy the identity of its service account: the `app` label of a workload,
   * `client`, `istio-ingressgateway-service-account`, `istio-egressgateway-service-account`.
   */
  readonly identity?: boolean | IdentityOptions;
}

/** The label of pods whose sidecars speak mutual TLS, as Istio's injector writes it. */
export const mutualTlsLabel = { 'security.istio.io/tlsMode': 'istio' } as const;

export function appOf({ name, app }: WorkloadOptions): string {
  return app ?? name.slice(0, name.lastIndexOf('-'));
}
