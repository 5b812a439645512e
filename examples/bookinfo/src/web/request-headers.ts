import type { IncomingHttpHeaders } from 'node:http';

/**
 * Headers an application must hand on, so that spans of one request find each other (Envoy makes the spans, but cannot
 * know which call belongs to which request), and those by which the mesh routes users.
 */
const handedOn = [
  'x-request-id',
  'x-ot-span-context',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'b3',
  'traceparent',
  'tracestate',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-cloud-trace-context',
  'grpc-trace-bin',
  'sw8',
  'user-agent',
  'end-user',
  'cookie',
  'authorization',
  'jwt',
] as const;

export function headersToHandOn(incoming: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of handedOn) {
    const value = incoming[name];
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
