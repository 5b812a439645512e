import type { ConfigObject } from '@seine/k8s';

/** A pod of the mesh with its place on this machine. */
export interface PlannedWorkload {
  /** As the mesh is told of it: its address and ports are those of the plan. */
  readonly pod: ConfigObject;
  readonly name: string;
  readonly namespace: string;
  readonly type: 'sidecar' | 'router';
  /** NONE: its Envoy binds ports of its own. REDIRECT: it has a network namespace with iptables rules. */
  readonly interceptionMode: 'NONE' | 'REDIRECT';
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** `reviews-v1`: the pod's name without its hashes. */
  readonly owner: string;
  /** The Service that selects it; empty where none does. */
  readonly service: string;
  /** Where its Envoy listens. */
  readonly address: string;
  /** The port its Envoy serves first; 0 where the pod declares none. */
  readonly inboundPort: number;
  /** Where the application listens (on 127.0.0.1) for each inbound port; empty where it listens on that port itself. */
  readonly appPorts: ReadonlyMap<number, number>;
  /** Envoy's, on 127.0.0.1. */
  readonly adminPort: number;
  /** The HTTP proxy listener for the application's own calls; 0 = none. */
  readonly httpProxyPort: number;
  /** One loopback address a TCP service; empty = none. */
  readonly outboundCidr: string;
  /** Envoy's metrics and readiness on `address`; 0 = none. */
  readonly prometheusPort: number;
  readonly readyPort: number;
}

export interface Plan {
  readonly workloads: readonly PlannedWorkload[];
  /** What somebody should know: pods that get no Envoy, and why. */
  readonly notes: readonly string[];
}
