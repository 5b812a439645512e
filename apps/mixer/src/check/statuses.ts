/** What a google.rpc.Code is called, and which status of HTTP it is (Istio 1.4: mixer/pkg/status). */
interface Status {
  readonly name: string;
  readonly http: number;
}

const statuses: readonly Status[] = [
  { name: 'OK', http: 200 },
  { name: 'CANCELLED', http: 499 },
  { name: 'UNKNOWN', http: 500 },
  { name: 'INVALID_ARGUMENT', http: 400 },
  { name: 'DEADLINE_EXCEEDED', http: 504 },
  { name: 'NOT_FOUND', http: 404 },
  { name: 'ALREADY_EXISTS', http: 409 },
  { name: 'PERMISSION_DENIED', http: 403 },
  { name: 'RESOURCE_EXHAUSTED', http: 429 },
  { name: 'FAILED_PRECONDITION', http: 400 },
  { name: 'ABORTED', http: 409 },
  { name: 'OUT_OF_RANGE', http: 400 },
  { name: 'UNIMPLEMENTED', http: 501 },
  { name: 'INTERNAL', http: 500 },
  { name: 'UNAVAILABLE', http: 503 },
  { name: 'DATA_LOSS', http: 500 },
  { name: 'UNAUTHENTICATED', http: 401 },
];
const unknown: Status = { name: 'UNKNOWN', http: 500 };

export const RpcCode = { OK: 0, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, INTERNAL: 13 } as const;

/** @param code google.rpc.Code; what is none is UNKNOWN */
export function statusOf(code: number): Status {
  return statuses[code] ?? unknown;
}
