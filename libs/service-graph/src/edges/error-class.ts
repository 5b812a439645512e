import type { Observation, Protocol } from './observation.js';

/**
 * What kind of failure an answer is: `client` the caller's (4xx), `server` the service's (5xx), `none` no answer at
 * all. gRPC's codes are told apart as OpenTelemetry does.
 */
export type ErrorClass = 'client' | 'server' | 'none';

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const serversFault: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** Connections that could not be made, or not be kept. TCP has no codes. */
const failedConnection = /\b(UF|UH|UO|NC|NR|UC|UT|LR|UR|UAEX|RL)\b/;

/** @returns undefined where the request has succeeded */
export function errorClass(
  protocol: Protocol,
  { responseCode, grpcStatus, responseFlags }: Pick<Observation, 'responseCode' | 'grpcStatus' | 'responseFlags'>,
): ErrorClass | undefined {
  if (protocol === 'tcp') return failedConnection.test(responseFlags) ? 'none' : undefined;
  if (responseCode === 0) return 'none';
  if (responseCode >= 500) return 'server';
  if (responseCode >= 400) return 'client';
  if (protocol !== 'grpc' || !grpcStatus) return undefined;
  return serversFault.has(grpcStatus) ? 'server' : 'client';
}

/**
 * The caller's proxy answered by itself, so no other proxy reports the request: no connection, no healthy endpoint, a
 * circuit breaker, no route, an injected abort, a local rate limit, a refusal by an authorization service.
 */
const answeredByCaller = /\b(UF|UH|UO|NC|NR|FI|RL|RLSE|UAEX|LH|DF|OM|DO)\b/;

export function neverArrived({ reporter, responseFlags }: Pick<Observation, 'reporter' | 'responseFlags'>): boolean {
  return reporter === 'source' && responseFlags.length > 1 && answeredByCaller.test(responseFlags);
}
