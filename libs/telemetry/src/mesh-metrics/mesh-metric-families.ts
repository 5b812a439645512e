import type { FamilyOptions } from '../series/series-family.js';

/** Envoy's own buckets (Envoy docs, "histogram_bucket_settings"), so that what mixer and what proxies count adds up. */
const bounds: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

const family = (name: string, type: FamilyOptions['type'], help: string): FamilyOptions => ({
  name: `istio_${name}`,
  type,
  help,
  ...(type === 'histogram' && { bounds }),
});

/** Istio's standard metrics by their names without `istio_`. */
export const meshMetricFamilies = {
  requests_total: family('requests_total', 'counter', 'Requests.'),
  request_duration_milliseconds: family('request_duration_milliseconds', 'histogram', 'How long requests took.'),
  request_bytes: family('request_bytes', 'histogram', 'Bytes of the bodies of requests.'),
  response_bytes: family('response_bytes', 'histogram', 'Bytes of the bodies of responses.'),
  request_messages_total: family('request_messages_total', 'counter', 'gRPC messages from clients.'),
  response_messages_total: family('response_messages_total', 'counter', 'gRPC messages to clients.'),
  tcp_connections_opened_total: family('tcp_connections_opened_total', 'counter', 'Connections that were opened.'),
  tcp_connections_closed_total: family('tcp_connections_closed_total', 'counter', 'Connections that have ended.'),
  tcp_sent_bytes_total: family('tcp_sent_bytes_total', 'counter', 'Bytes to clients.'),
  tcp_received_bytes_total: family('tcp_received_bytes_total', 'counter', 'Bytes from clients.'),
} as const satisfies Readonly<Record<string, FamilyOptions>>;

export type MeshMetricName = keyof typeof meshMetricFamilies;

/** Metrics whose labels say nothing of a response, as Istio's. */
const ofMessages: ReadonlySet<string> = new Set<MeshMetricName>(['request_messages_total', 'response_messages_total']);

export function countsMessages(name: MeshMetricName): boolean {
  return ofMessages.has(name);
}
