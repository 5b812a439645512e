import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { toAny } from '@seine/envoy';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
  AccessLogSchema,
} from '@seine/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { SubstitutionFormatStringSchema } from '@seine/envoy/envoy/config/core/v3/substitution_format_string_pb.js';
import { FileAccessLogSchema } from '@seine/envoy/envoy/extensions/access_loggers/file/v3/file_pb.js';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '@seine/envoy/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import type { ChainContext } from '../../inputs.js';
import type { MeshConfig } from '@seine/model';

/** Istio's default text format (Istio docs, "Envoy Access Logs"), field by field. */
const textFormat = `${[
  '[%START_TIME%]',
  '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"',
  '%RESPONSE_CODE%',
  '%RESPONSE_FLAGS%',
  '%RESPONSE_CODE_DETAILS%',
  '%CONNECTION_TERMINATION_DETAILS%',
  '"%UPSTREAM_TRANSPORT_FAILURE_REASON%"',
  '%BYTES_RECEIVED%',
  '%BYTES_SENT%',
  '%DURATION%',
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  '"%REQ(X-FORWARDED-FOR)%"',
  '"%REQ(USER-AGENT)%"',
  '"%REQ(X-REQUEST-ID)%"',
  '"%REQ(:AUTHORITY)%"',
  '"%UPSTREAM_HOST%"',
  '%UPSTREAM_CLUSTER_RAW%',
  '%UPSTREAM_LOCAL_ADDRESS%',
  '%DOWNSTREAM_LOCAL_ADDRESS%',
  '%DOWNSTREAM_REMOTE_ADDRESS%',
  '%REQUESTED_SERVER_NAME%',
  '%ROUTE_NAME%',
].join(' ')}\n`;

/** The log of requests and connections: where `accessLogFile` says (`/dev/stdout`), else none. */
export function emitAccessLog({ config }: ChainContext): AccessLog[] {
  return accessLog(config);
}

/**
 * The log of a listener itself: connections that no filter chain takes never reach a filter that would log them, so
 * only they (response flag NR, no route) are logged here.
 */
export function emitListenerAccessLog({ config }: ChainContext): AccessLog[] {
  return accessLog(
    config,
    create(AccessLogFilterSchema, { filterSpecifier: { case: 'responseFlagFilter', value: { flags: ['NR'] } } }),
  );
}

function accessLog(config: MeshConfig, filter?: AccessLogFilter): AccessLog[] {
  if (config.accessLogFile === '') return [];
  const { name, typedConfig } = sink(config.accessLogFile);
  return [create(AccessLogSchema, { name, configType: { case: 'typedConfig', value: typedConfig }, filter })];
}

/**
 * The standard streams have loggers of their own: opened as a file, `/dev/stdout` fails where it is a socket, as under
 * a Node parent, and Envoy would refuse the listener.
 */
function sink(path: string): { name: string; typedConfig: Any } {
  const format = create(SubstitutionFormatStringSchema, {
    format: { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: textFormat } } },
  });
  const accessLogFormat = { case: 'logFormat', value: format } as const;
  switch (path) {
    case '/dev/stdout':
      return { name: 'envoy.access_loggers.stdout', typedConfig: toAny(StdoutAccessLogSchema, { accessLogFormat }) };
    case '/dev/stderr':
      return { name: 'envoy.access_loggers.stderr', typedConfig: toAny(StderrAccessLogSchema, { accessLogFormat }) };
    default:
      return { name: 'envoy.access_loggers.file', typedConfig: toAny(FileAccessLogSchema, { path, accessLogFormat }) };
  }
}
