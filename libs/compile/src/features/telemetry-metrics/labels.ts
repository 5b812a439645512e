import type { WorkloadLabels } from '@seine/model';
import { peerLabel } from '../peer-metadata/peer-metadata.js';
import { peerNamespace } from '../../telemetry/peer-metadata.js';
import type { TagChanges } from '../../telemetry/resolve-metrics.js';

/** A label and the log operator that gives its value. */
export interface Label {
  readonly name: string;
  readonly format: string;
}

export type Reporter = 'source' | 'destination';
export type Protocol = 'http' | 'tcp';

/**
 * The environment of a proxy that says whose it is, so that the same bytes serve all workloads that share a listener.
 * Whoever starts the proxy sets them (see `proxyEnvironment` of @seine/bootstrap).
 */
const environment: Readonly<Record<keyof WorkloadLabels, string>> = {
  workload: 'SEINE_WORKLOAD',
  namespace: 'SEINE_WORKLOAD_NAMESPACE',
  service: 'SEINE_CANONICAL_SERVICE',
  revision: 'SEINE_CANONICAL_REVISION',
  app: 'SEINE_APP',
  version: 'SEINE_VERSION',
  cluster: 'SEINE_CLUSTER',
};

const suffixes: Readonly<Record<keyof WorkloadLabels, string>> = {
  workload: 'workload',
  service: 'canonical_service',
  revision: 'canonical_revision',
  namespace: 'workload_namespace',
  app: 'app',
  version: 'version',
  cluster: 'cluster',
};

function workloadLabels(prefix: Reporter, format: (key: keyof WorkloadLabels) => string): readonly Label[] {
  return (Object.keys(suffixes) as (keyof WorkloadLabels)[]).map((key) => ({
    name: `${prefix}_${suffixes[key]}`,
    format: format(key),
  }));
}

const own = (key: keyof WorkloadLabels): string => `%ENVIRONMENT(${environment[key]})%`;
const upstream = (key: keyof WorkloadLabels): string => `%UPSTREAM_METADATA(${peerNamespace}:${key})%`;

const grpcOrHttp =
  "%CEL('content-type' in request.headers && request.headers['content-type'].startsWith('application/grpc') ? 'grpc' : 'http')%";

const service: readonly Label[] = [
  { name: 'destination_service', format: `%CLUSTER_METADATA(${peerNamespace}:host)%` },
  { name: 'destination_service_name', format: `%CLUSTER_METADATA(${peerNamespace}:name)%` },
  { name: 'destination_service_namespace', format: `%CLUSTER_METADATA(${peerNamespace}:namespace)%` },
];

/** Who calls and who is called, as the two sides know it: a caller knows its endpoint, the called one what its peer says. */
const known: Readonly<Record<Reporter, readonly Label[]>> = {
  source: [
    ...workloadLabels('source', own),
    { name: 'source_principal', format: '%UPSTREAM_LOCAL_URI_SAN%' },
    ...workloadLabels('destination', upstream),
    { name: 'destination_principal', format: '%UPSTREAM_PEER_URI_SAN%' },
  ],
  destination: [
    ...workloadLabels('source', peerLabel),
    { name: 'source_principal', format: '%DOWNSTREAM_PEER_URI_SAN%' },
    ...workloadLabels('destination', own),
    { name: 'destination_principal', format: '%DOWNSTREAM_LOCAL_URI_SAN%' },
  ],
};

const ofPeer = /^source_(?!principal$)/;

/** At the destination, without word of the caller. */
function withoutPeer(label: Label): Label {
  return ofPeer.test(label.name) && label.format.includes('DYNAMIC_METADATA') ? { ...label, format: 'unknown' } : label;
}

const ofRequests: readonly Label[] = [
  { name: 'request_protocol', format: grpcOrHttp },
  { name: 'response_code', format: '%RESPONSE_CODE%' },
  { name: 'grpc_response_status', format: '%GRPC_STATUS_NUMBER%' },
  { name: 'response_flags', format: '%RESPONSE_FLAGS%' },
];
const ofConnections: readonly Label[] = [
  { name: 'request_protocol', format: 'tcp' },
  { name: 'response_flags', format: '%RESPONSE_FLAGS%' },
];

/** The labels of Istio's standard metrics (Istio docs, "Istio Standard Metrics"). */
/**
 * @param peers whether what callers say of themselves is to be had; else they are `unknown`
 */
export function standardLabels(reporter: Reporter, protocol: Protocol, peers: boolean): readonly Label[] {
  const security = reporter === 'source' ? 'unknown' : "%CEL(connection.mtls ? 'mutual_tls' : 'none')%";
  return [
    { name: 'reporter', format: reporter },
    ...(peers ? known[reporter] : known[reporter].map(withoutPeer)),
    ...service,
    ...(protocol === 'http' ? ofRequests : ofConnections),
    { name: 'connection_security_policy', format: security },
  ];
}

/** A CEL expression as a log operator. A text, or a conversion to text, needs no expression. */
export function celFormat(expression: string): string {
  const text = /^\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*$/.exec(expression);
  const literal = text?.[1] ?? text?.[2];
  if (literal !== undefined && literal !== '') return literal.replaceAll('%', '%%');
  return `%CEL(${withoutConversion(expression)})%`;
}

/** The label is a text anyway, and Envoy's formatter has no `string()`. */
function withoutConversion(expression: string): string {
  const inner = /^\s*string\((.*)\)\s*$/s.exec(expression)?.[1];
  return inner !== undefined && isBalanced(inner) ? inner : expression;
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth++;
    if (character === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

/** The labels after `tagOverrides`: changed, added or taken away. */
export function changedLabels(labels: readonly Label[], changes: TagChanges | undefined): readonly Label[] {
  if (!changes) return labels;
  const known = new Set(labels.map(({ name }) => name));
  const changed = labels.flatMap(({ name, format }) => {
    const change = changes.get(name);
    if (change === null) return [];
    return [{ name, format: change === undefined ? format : celFormat(change) }];
  });
  const added = [...changes].flatMap(([name, change]) =>
    known.has(name) || change === null ? [] : [{ name, format: celFormat(change) }],
  );
  return [...changed, ...added.sort((a, b) => (a.name < b.name ? -1 : 1))];
}
