import type { ValueType, Vocabulary } from './value-type.js';

/** What Istio 1.4 knew of both ends of a request; each has it as `source.…` and as `destination.…`. */
const ofEitherEnd = {
  uid: 'STRING',
  ip: 'IP_ADDRESS',
  port: 'INT64',
  labels: 'STRING_MAP',
  metadata: 'STRING_MAP',
  name: 'STRING',
  namespace: 'STRING',
  owner: 'STRING',
  principal: 'STRING',
  /** The principal under its name of before 1.0. */
  user: 'STRING',
  serviceAccount: 'STRING',
  service: 'STRING',
  services: 'STRING',
  'container.name': 'STRING',
  'cluster.id': 'STRING',
  'workload.uid': 'STRING',
  'workload.name': 'STRING',
  'workload.namespace': 'STRING',
  'service.uid': 'STRING',
  'service.host': 'STRING',
  'service.name': 'STRING',
  'service.namespace': 'STRING',
} as const satisfies Readonly<Record<string, ValueType>>;

const ofRequests = {
  'origin.ip': 'IP_ADDRESS',
  'origin.uid': 'STRING',
  'origin.user': 'STRING',
  'request.headers': 'STRING_MAP',
  'request.id': 'STRING',
  'request.host': 'STRING',
  'request.method': 'STRING',
  'request.path': 'STRING',
  'request.url_path': 'STRING',
  'request.query_params': 'STRING_MAP',
  'request.reason': 'STRING',
  'request.referer': 'STRING',
  'request.scheme': 'STRING',
  'request.size': 'INT64',
  'request.total_size': 'INT64',
  'request.time': 'TIMESTAMP',
  'request.useragent': 'STRING',
  'request.api_key': 'STRING',
  'request.auth.principal': 'STRING',
  'request.auth.audiences': 'STRING',
  'request.auth.presenter': 'STRING',
  'request.auth.claims': 'STRING_MAP',
  'request.auth.raw_claims': 'STRING',
  'response.code': 'INT64',
  'response.duration': 'DURATION',
  'response.headers': 'STRING_MAP',
  'response.size': 'INT64',
  'response.total_size': 'INT64',
  'response.time': 'TIMESTAMP',
  'response.grpc_status': 'STRING',
  'response.grpc_message': 'STRING',
  'connection.id': 'STRING',
  'connection.event': 'STRING',
  'connection.mtls': 'BOOL',
  'connection.requested_server_name': 'STRING',
  'connection.duration': 'DURATION',
  'connection.received.bytes': 'INT64',
  'connection.received.bytes_total': 'INT64',
  'connection.sent.bytes': 'INT64',
  'connection.sent.bytes_total': 'INT64',
  'context.protocol': 'STRING',
  'context.time': 'TIMESTAMP',
  'context.timestamp': 'TIMESTAMP',
  'context.proxy_error_code': 'STRING',
  'context.proxy_version': 'STRING',
  'context.reporter.kind': 'STRING',
  'context.reporter.uid': 'STRING',
  'context.reporter.local': 'BOOL',
  'api.service': 'STRING',
  'api.version': 'STRING',
  'api.operation': 'STRING',
  'api.protocol': 'STRING',
  'check.cache_hit': 'BOOL',
  'check.error_code': 'INT64',
  'check.error_message': 'STRING',
  'quota.cache_hit': 'BOOL',
  'rbac.permissive.response_code': 'STRING',
  'rbac.permissive.effective_policy_id': 'STRING',
} as const satisfies Readonly<Record<string, ValueType>>;

type OfEnd<Side extends string> = `${Side}.${keyof typeof ofEitherEnd}`;

/** A name of Istio's vocabulary. */
export type AttributeName = keyof typeof ofRequests | OfEnd<'source'> | OfEnd<'destination'>;

function ofEnd(side: 'source' | 'destination'): readonly (readonly [string, ValueType])[] {
  return Object.entries(ofEitherEnd).map(([name, type]) => [`${side}.${name}`, type] as const);
}

/** Istio's attributes and their types; an attributemanifest may add to them. */
export const mixerVocabulary: Vocabulary = new Map<string, ValueType>([
  ...ofEnd('source'),
  ...ofEnd('destination'),
  ...Object.entries(ofRequests),
]);
