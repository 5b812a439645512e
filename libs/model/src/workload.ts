import type { Locality } from './endpoint.js';
import type { Protocol } from './protocol.js';

/** One port a workload serves, with the service it serves it for. */
export interface InboundPort {
  /** Where the workload is reached: iptables' original destination port. */
  readonly targetPort: number;
  readonly servicePort: number;
  readonly serviceHost: string;
  readonly portName: string;
  readonly protocol: Protocol;
}

/** A running instance (pod, VM, process): what a sidecar stands beside. */
export interface Workload {
  /** The instance's own name: a pod's, or `reviews-v1`. */
  readonly name: string;
  readonly namespace: string;
  /** The owner (Deployment and so on): Istio's `workload` label. */
  readonly ownerName: string;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly locality: Locality;
  readonly network: string;
  /** The services that select this workload, one entry a target port and service. Sorted by targetPort, then host. */
  readonly inbound: readonly InboundPort[];
}

/** service.istio.io/canonical-name, else app.kubernetes.io/name, else app, else the workload (Istio, canonical services). */
export function canonicalName(labels: Readonly<Record<string, string>>, workloadName: string): string {
  return labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? workloadName;
}

export function canonicalRevision(labels: Readonly<Record<string, string>>): string {
  return (
    labels['service.istio.io/canonical-revision'] ??
    labels['app.kubernetes.io/version'] ??
    labels['version'] ??
    'latest'
  );
}

/** Whether every selected label is there with that value; an empty selector selects all. */
export function labelsMatch(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
