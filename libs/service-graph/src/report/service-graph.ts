import type { EdgeEnd, Protocol } from '../edges/observation.js';

/** Milliseconds, as the caller has seen them; percentiles are right to within 1 % of their value. */
export interface GraphLatency {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface GraphErrors {
  readonly total: number;
  /** Of all requests, 0 to 1. */
  readonly share: number;
  /** 4xx, and gRPC's codes of that kind. */
  readonly client: number;
  /** 5xx, and gRPC's codes of that kind. */
  readonly server: number;
  /** There was no answer. */
  readonly none: number;
}

/** Who calls whom, and how it goes. */
export interface GraphEdge {
  /** The same in every answer. */
  readonly id: string;
  readonly source: EdgeEnd;
  readonly destination: EdgeEnd;
  /** Host of the service that was called; '' where it is not known. */
  readonly service: string;
  readonly protocol: Protocol;
  /** Whose proxy has counted: each request is counted once, though both report it. */
  readonly reporter: 'source' | 'destination';
  /** 0 for TCP. */
  readonly requests: number;
  /** A second: of requests, or of connections. */
  readonly rate: number;
  readonly errors: GraphErrors;
  /** By status, `none` where there was no answer. */
  readonly responseCodes: Readonly<Record<string, number>>;
  readonly grpcStatuses: Readonly<Record<string, number>>;
  /** By Envoy's short names. */
  readonly responseFlags: Readonly<Record<string, number>>;
  /** Null for TCP. */
  readonly latency: GraphLatency | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Share of requests over mutual TLS, 0 to 1; null where nobody can say. */
  readonly mutualTls: number | null;
  /** Null but for TCP. */
  readonly connections: { readonly opened: number; readonly closed: number } | null;
  /** What is this edge's own, and not of calls that its destination made in turn. */
  readonly own: {
    /** Of the mean request, milliseconds. */
    readonly latency: number;
    /** Failures of the server, and requests without an answer. */
    readonly errors: number;
  };
}

export interface GraphNode extends EdgeEnd {
  /** Hosts of the services by which it is called. */
  readonly services: readonly string[];
}

/** The answer of `GET /graph`. */
export interface ServiceGraph {
  /** RFC 3339: what is counted was reported from here on … */
  readonly from: string;
  /** … up to here. */
  readonly to: string;
  /** How many mixers have reported. */
  readonly replicas: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Edges that look worst, by id; null where none has an error, or any latency. */
  readonly worst: { readonly errors: string | null; readonly latency: string | null };
  /** Why it is not whole; empty where it is. */
  readonly problems: readonly string[];
}
