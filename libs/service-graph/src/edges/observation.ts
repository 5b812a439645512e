/** A workload at one end of an edge. Names that are not known are `unknown`, labels that are not there ''. */
export interface EdgeEnd {
  readonly workload: string;
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
}

export type Protocol = 'http' | 'grpc' | 'tcp';

/** Which edge a request belongs to. */
export interface EdgeIdentity {
  readonly source: EdgeEnd;
  readonly destination: EdgeEnd;
  /** Host of the service that was called, `reviews.default.svc.cluster.local`; '' where it is not known. */
  readonly service: string;
  readonly protocol: Protocol;
}

/** An identity with its key, to be made once for all requests of the edge. */
export interface Edge extends EdgeIdentity {
  readonly key: string;
}

/** One request, or one end of a TCP connection, as one of the two proxies reports it. */
export interface Observation {
  readonly edge: Edge;
  readonly reporter: 'source' | 'destination';
  /** Whether mutual TLS was spoken; undefined where the reporter cannot say. */
  readonly mutualTls: boolean | undefined;
  /** 0 where there was no answer, and for TCP. */
  readonly responseCode: number;
  /** Undefined where there is none. */
  readonly grpcStatus: number | undefined;
  /** Envoy's, joined by commas: `UF,URX`; '' or `-` where there is none. */
  readonly responseFlags: string;
  /** Milliseconds; undefined where it is not known. */
  readonly durationMs: number | undefined;
  /** Of bodies, as the reporter has received them from the caller. */
  readonly requestBytes: number;
  /** Of bodies, as the reporter has sent them to the caller. */
  readonly responseBytes: number;
  /** TCP: what has become of the connection; `open` says what it has carried since the last report. Absent for requests. */
  readonly connection?: 'opened' | 'open' | 'closed' | undefined;
}

const longestName = 253;
const clip = (name: string): string => (name.length > longestName ? name.slice(0, longestName) : name);
const clipEnd = ({ workload, namespace, app, version }: EdgeEnd): EdgeEnd => ({
  workload: clip(workload),
  namespace: clip(namespace),
  app: clip(app),
  version: clip(version),
});

/** Names are no longer than those in Kubernetes may be: edges are kept for long. */
export function edgeOf({ source, destination, service, protocol }: EdgeIdentity): Edge {
  const identity = { source: clipEnd(source), destination: clipEnd(destination), service: clip(service), protocol };
  return Object.freeze({ ...identity, key: edgeKey(identity) });
}

/** The same for all requests of an edge. Versions are of workloads, and not told apart by themselves. */
export function edgeKey({ source, destination, service, protocol }: EdgeIdentity): string {
  return `${source.namespace}/${source.workload}>${destination.namespace}/${destination.workload}>${service}>${protocol}`;
}
