import type { AttributeBag } from '@seine/mixer';
import type { WorkloadLabels } from '@seine/model';

/** One end of a call. Text that is not known is empty. */
export interface LogEnd extends WorkloadLabels {
  /** `spiffe://cluster.local/ns/default/sa/reviews` where its certificate has proved it. */
  readonly principal: string;
}

/**
 * Who calls whom, as one side of the call reports it. Equal ones are one object while calls go on, so its identity is a
 * fast key; it is not the only one, as old ones are forgotten: `key` is equal for all that are equal.
 */
export interface LogEnds {
  readonly key: string;
  /** The side that reports: `outbound` the caller's proxy (and gateways), `inbound` the called one's. */
  readonly reporter: 'inbound' | 'outbound';
  readonly source: LogEnd;
  readonly destination: LogEnd;
  /** The service that was called; for hosts that nobody knows `PassthroughCluster`. */
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string };
  /** Whether both ends have proved who they are. */
  readonly mutualTls: boolean;
}

/**
 * What one log entry says of a request or of a connection. It reads its bytes when it is asked: take what you need while
 * you have it, and keep the record no longer than the call.
 */
export interface LogRecord {
  readonly protocol: 'http' | 'grpc' | 'tcp';
  /** Requests are told of at their `end`; connections when they `open`, while they `continue`, and at their `end`. */
  readonly event: 'open' | 'continue' | 'end';
  readonly ends: LogEnds;
  /** When it began, milliseconds since 1970. */
  readonly startTime: number;
  /** Milliseconds from its beginning to the last byte. */
  readonly duration: number;
  /** Bytes of the request's body, or from the client since the last entry about its connection. */
  readonly receivedBytes: number;
  /** Likewise of the response's, or to the client. */
  readonly sentBytes: number;
  /** HTTP; 0 where there was no response, and for connections. */
  readonly responseCode: number;
  /** Of a gRPC call; undefined for others. */
  readonly grpcStatus: number | undefined;
  /** Envoy's short names joined by commas, `UH,NR`; empty = none. */
  readonly responseFlags: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authority: string;
  readonly requestId: string;
  /** `traceparent` as it came; empty = none. */
  readonly traceParent: string;
  /** All of Istio's attributes, for rules. */
  readonly attributes: AttributeBag;
}

/**
 * Takes what proxies report, entry by entry: thousands a second, so it must be quick and wait for nothing. What it throws
 * is counted and kept from the others.
 */
export type LogSink = (record: LogRecord) => void;
