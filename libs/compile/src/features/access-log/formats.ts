import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JsonObject } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import type { TypedExtensionConfigSchema } from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import { ReqWithoutQuerySchema } from '@seine/envoy/envoy/extensions/formatter/req_without_query/v3/req_without_query_pb.js';

/** Istio's default line (Istio docs, "Envoy Access Logs"): names of fields in JSON, with what stands for them. */
const fields: readonly (readonly [name: string, format: string])[] = [
  ['start_time', '%START_TIME%'],
  ['method', '%REQ(:METHOD)%'],
  ['path', '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%'],
  ['protocol', '%PROTOCOL%'],
  ['response_code', '%RESPONSE_CODE%'],
  ['response_flags', '%RESPONSE_FLAGS%'],
  ['response_code_details', '%RESPONSE_CODE_DETAILS%'],
  ['connection_termination_details', '%CONNECTION_TERMINATION_DETAILS%'],
  ['upstream_transport_failure_reason', '%UPSTREAM_TRANSPORT_FAILURE_REASON%'],
  ['bytes_received', '%BYTES_RECEIVED%'],
  ['bytes_sent', '%BYTES_SENT%'],
  ['duration', '%DURATION%'],
  ['upstream_service_time', '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%'],
  ['x_forwarded_for', '%REQ(X-FORWARDED-FOR)%'],
  ['user_agent', '%REQ(USER-AGENT)%'],
  ['request_id', '%REQ(X-REQUEST-ID)%'],
  ['authority', '%REQ(:AUTHORITY)%'],
  ['upstream_host', '%UPSTREAM_HOST%'],
  ['upstream_cluster', '%UPSTREAM_CLUSTER_RAW%'],
  ['upstream_local_address', '%UPSTREAM_LOCAL_ADDRESS%'],
  ['downstream_local_address', '%DOWNSTREAM_LOCAL_ADDRESS%'],
  ['downstream_remote_address', '%DOWNSTREAM_REMOTE_ADDRESS%'],
  ['requested_server_name', '%REQUESTED_SERVER_NAME%'],
  ['route_name', '%ROUTE_NAME%'],
];

const quoted = new Set([
  'upstream_transport_failure_reason',
  'x_forwarded_for',
  'user_agent',
  'request_id',
  'authority',
  'upstream_host',
]);

/** The line as text: the request line in quotes, and what may hold spaces. */
function textLine(): string {
  const [time, method, path, protocol, ...rest] = fields.map(([name, format]) =>
    quoted.has(name) ? `"${format}"` : format,
  );
  return `[${time}] "${method} ${path} ${protocol}" ${rest.join(' ')}\n`;
}

export const defaultText = textLine();
export const defaultLabels: JsonObject = Object.fromEntries(fields);

/** Istio adds the end of the line where a format has none. */
export function asLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** The extensions that the operators in formats need. */
export function formattersFor(...formats: readonly string[]): MessageInitShape<typeof TypedExtensionConfigSchema>[] {
  if (!formats.some((format) => format.includes('%REQ_WITHOUT_QUERY('))) return [];
  return [{ name: 'envoy.formatter.req_without_query', typedConfig: toAny(ReqWithoutQuerySchema, {}) }];
}
