import type { WorkloadLabels } from '@seine/model';
import { familyOf, type MetricFamilies } from '../exposition/families.js';

/** By Envoy's names, those of Istio. */
const counters: Readonly<Record<string, string>> = {
  envoy_cluster_grpc_request_message_count: 'istio_request_messages_total',
  envoy_cluster_grpc_response_message_count: 'istio_response_messages_total',
};

/** A proxy counts messages by cluster alone: the cluster's name says on which side it stands, and of which service. */
const cluster = /envoy_cluster_name="(?:(outbound)\|(\d+)\|([^|"]*)\|([^|";]+)|(inbound)\|(\d+)\|\|[^"]*);?"/;

function workload(prefix: string, labels: WorkloadLabels | undefined): readonly (readonly [string, string])[] {
  const of = (key: keyof WorkloadLabels): string => labels?.[key] ?? 'unknown';
  return [
    [`${prefix}_workload`, of('workload')],
    [`${prefix}_workload_namespace`, of('namespace')],
    [`${prefix}_canonical_service`, of('service')],
    [`${prefix}_canonical_revision`, of('revision')],
    [`${prefix}_app`, of('app')],
    [`${prefix}_version`, of('version')],
    [`${prefix}_cluster`, of('cluster')],
    [`${prefix}_principal`, 'unknown'],
  ];
}

/**
 * gRPC messages as Istio counts them, made of Envoy's counts by cluster. Who is on the other side is `unknown`: the counts do
 * not say it.
 * @param own the workload whose proxy has counted
 */
export function messageCounts(families: MetricFamilies, own: WorkloadLabels): MetricFamilies {
  const counted: MetricFamilies = new Map();
  for (const [name, istioName] of Object.entries(counters)) {
    for (const [key, value] of families.get(name)?.series ?? []) {
      const [, outbound, , , host = 'unknown', inbound] = cluster.exec(key) ?? [];
      if (outbound === undefined && inbound === undefined) continue;
      const labels = [
        ['reporter', outbound ? 'source' : 'destination'],
        ...workload('source', outbound ? own : undefined),
        ...workload('destination', outbound ? undefined : own),
        ...service(host),
        ['request_protocol', 'grpc'],
        ['connection_security_policy', 'unknown'],
      ];
      const series = `${istioName}{${labels.map(([label = '', text = '']) => `${label}="${text}"`).join(',')}}`;
      const family = familyOf(counted, istioName, 'counter');
      // Subsets of a service are one to Istio.
      family.series.set(series, (family.series.get(series) ?? 0) + value);
    }
  }
  return counted;
}

function service(host: string): readonly (readonly [string, string])[] {
  const [name = 'unknown', namespace, svc] = host.split('.', 3);
  return [
    ['destination_service', host],
    ['destination_service_name', svc === 'svc' ? name : host],
    ['destination_service_namespace', svc === 'svc' ? (namespace ?? 'unknown') : 'unknown'],
  ];
}
