import type { Destination } from '@seine/istio';
import { fullyQualify, type MeshConfig } from '@seine/model';
import { outboundClusterName } from '../../frame/cluster-names.js';
import type { DestinationFacts } from '../../inputs.js';

/** What the destinations of one VirtualService are read against. */
export interface RouteScope {
  /** The VirtualService's own namespace: short host names belong to it. */
  readonly namespace: string;
  /** The listener's port, and so the destination's where neither route nor service says another. */
  readonly port: number;
  /** The listener terminates TLS (gateways). */
  readonly tls: boolean;
  /** By fully-qualified host. */
  readonly destinations: ReadonlyMap<string, DestinationFacts>;
  readonly config: MeshConfig;
}

export interface ResolvedDestination {
  readonly host: string;
  readonly port: number;
  readonly subset: string | undefined;
  /** The Envoy cluster's name. It is named even where no such cluster exists: Envoy then answers 503 (NC). */
  readonly cluster: string;
  readonly facts: DestinationFacts | undefined;
}

/**
 * Finds the cluster of a destination. The port is the route's, else the service's only port, else the listener's (Istio
 * docs, VirtualService, "Destination").
 */
export function resolveDestination(destination: Destination, scope: RouteScope): ResolvedDestination {
  const host = fullyQualify(destination.host, scope.namespace, scope.config.clusterDomain);
  const facts = scope.destinations.get(host);
  const ports = facts?.service?.ports ?? [];
  const onlyPort = ports.length === 1 ? ports[0]?.port : undefined;
  const port = destination.port?.number ?? onlyPort ?? scope.port;
  const subset = destination.subset;
  // A destination may be named by an alias of its service (an ExternalName Service).
  const own = facts?.service?.host ?? host;
  return { host: own, port, subset, cluster: outboundClusterName(port, subset, own), facts };
}

export function destinationsByHost(facts: readonly DestinationFacts[]): ReadonlyMap<string, DestinationFacts> {
  return new Map(facts.map((fact) => [fact.host, fact]));
}
