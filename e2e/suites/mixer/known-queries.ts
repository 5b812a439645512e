/**
 * What dashboards that people have ask of a mesh, in their own manner: windows of a minute, `irate`, results that are rounded, and
 * labels in Istio's order. Nothing of these is ours.
 */
const service = 'reviews.default.svc.cluster.local';

/** In the manner of Istio's own dashboards. */
export const istioQueries: readonly string[] = [
  'round(sum(irate(istio_requests_total{reporter=~"source|waypoint"}[1m])), 0.01)',
  'sum(rate(istio_requests_total{reporter=~"source|waypoint", response_code!~"5.*"}[1m])) / sum(rate(istio_requests_total{reporter=~"source|waypoint"}[1m]))',
  'sum(irate(istio_requests_total{reporter=~"source|waypoint", response_code=~"4.*"}[1m])) or vector(0)',
  `label_join(sum(rate(istio_requests_total{reporter=~"source|waypoint", response_code="200"}[1m])) by (destination_workload, destination_workload_namespace, destination_service), "destination_workload_var", ".", "destination_workload", "destination_workload_namespace")`,
  `round(sum(irate(istio_requests_total{reporter=~"destination",destination_service=~"${service}"}[5m])), 0.001)`,
  `sum(irate(istio_requests_total{reporter=~"destination",destination_service=~"${service}",response_code!~"5.*"}[5m])) / sum(irate(istio_requests_total{reporter=~"destination",destination_service=~"${service}"}[5m]))`,
  `(histogram_quantile(0.50, sum(irate(istio_request_duration_milliseconds_bucket{reporter=~"destination",destination_service=~"${service}"}[1m])) by (le)) / 1000) or histogram_quantile(0.50, sum(irate(istio_request_duration_seconds_bucket{reporter=~"destination",destination_service=~"${service}"}[1m])) by (le))`,
  `round(sum(irate(istio_requests_total{connection_security_policy="mutual_tls",destination_service=~"${service}",reporter=~"destination",source_workload=~"client",source_workload_namespace=~"default"}[5m])) by (source_workload, source_workload_namespace, response_code), 0.001)`,
  `histogram_quantile(0.95, sum(irate(istio_request_bytes_bucket{reporter=~"source", destination_service=~"${service}", source_workload=~"client"}[1m])) by (source_workload, source_workload_namespace, le))`,
  `histogram_quantile(0.99, sum(irate(istio_response_bytes_bucket{reporter=~"destination", connection_security_policy="mutual_tls", destination_workload=~"reviews-v1"}[1m])) by (destination_workload, le))`,
  'sum(irate(istio_tcp_received_bytes_total{reporter=~"source", destination_service=~"ledger.default.svc.cluster.local"}[1m]))',
  'round(sum(irate(istio_tcp_sent_bytes_total{reporter=~"destination", destination_workload_namespace=~"default", destination_workload=~"ledger-v1"}[1m])) by (source_workload, source_workload_namespace), 0.001)',
  'sum(istio_build) by (component, tag)',
  'sum(istio_build{component="pilot"}) by (tag)',
  'process_resident_memory_bytes{app="istiod"}',
  'sum(rate(process_cpu_seconds_total{app="istiod"}[1m]))',
  'sum(irate(pilot_xds_pushes{type="cds"}[1m]))',
  'sum(rate(pilot_xds_pushes[1m])) by (type)',
  'sum(rate(pilot_xds_push_time_bucket[1m])) by (le)',
  'histogram_quantile(0.99, sum(rate(pilot_proxy_convergence_time_bucket[1m])) by (le))',
  'sum(rate(pilot_xds_config_size_bytes_bucket[1m])) by (le)',
  'sum(pilot_virt_services{app="istiod"})',
  'sum(pilot_services{app="istiod"})',
  'sum(pilot_xds{app="istiod"})',
  'sum(increase(pilot_total_xds_rejects[1m])) by (type)',
  'sum(rate(pilot_k8s_cfg_events[1m])) by (type, event)',
  'sum(rate(pilot_k8s_reg_events[1m])) by (type, event)',
  'sum(rate(pilot_push_triggers[1m])) by (type)',
  'sum(citadel_server_success_cert_issuance_count{app="istiod"})',
  'sum(citadel_server_csr_count)',
  'citadel_server_root_cert_expiry_timestamp',
  'sum(rate(istio_agent_num_outgoing_requests[1m])) by (request_type)',
];

const edge = [
  ...['source_cluster', 'source_workload_namespace', 'source_workload', 'source_canonical_service'],
  ...['source_canonical_revision', 'destination_cluster', 'destination_service_namespace', 'destination_service'],
  ...['destination_service_name', 'destination_workload_namespace', 'destination_workload'],
  ...['destination_canonical_service', 'destination_canonical_revision'],
].join(',');

/** In the manner of Kiali: the edges of its graph, health, and the figures of a page. */
export const kialiQueries: readonly string[] = [
  `sum(rate(istio_requests_total{reporter=~"source|waypoint",source_workload_namespace="default"} [60s])) by (${edge},request_protocol,response_code,grpc_response_status,response_flags) > 0`,
  `sum(rate(istio_requests_total{reporter="destination",destination_service_namespace="default"} [60s])) by (${edge},request_protocol,response_code,grpc_response_status,response_flags) > 0`,
  `sum(rate(istio_requests_total{reporter=~"destination|waypoint",destination_workload_namespace="default",connection_security_policy="mutual_tls"}[60s])) by (${edge},source_principal,destination_principal,connection_security_policy) > 0`,
  `sum(rate(istio_tcp_sent_bytes_total{reporter="source",source_workload_namespace="default"} [60s])) by (${edge},response_flags) > 0`,
  `sum(rate(istio_tcp_received_bytes_total{reporter=~"source|waypoint",destination_service_namespace="default"} [60s])) by (${edge},response_flags) > 0`,
  `histogram_quantile(0.95, sum(rate(istio_request_duration_milliseconds_bucket{reporter="destination",destination_service_namespace="default"}[60s])) by (le,${edge},request_protocol)) > 0`,
  'sum(rate(istio_requests_total{reporter=~"source|waypoint",destination_service_name="reviews",destination_service_namespace="default"}[60s])) by (source_workload_namespace,source_cluster,destination_cluster,response_code,grpc_response_status,request_protocol)',
  'sum(rate(istio_requests_total{reporter="destination",destination_workload="reviews-v1",destination_workload_namespace="default"}[60s]))',
  'sum(rate(istio_requests_total{reporter="source",source_canonical_service="client",source_workload_namespace="default",response_code=~"5[0-9]{2}"}[60s]))',
  'sum(rate(istio_request_duration_milliseconds_sum{reporter="source",destination_canonical_service="reviews"}[60s])) / sum(rate(istio_request_duration_milliseconds_count{reporter="source",destination_canonical_service="reviews"}[60s]))',
  'sum(rate(istio_tcp_connections_opened_total{reporter="source",destination_service_name="ledger"}[60s]))',
  'sum(rate(istio_tcp_connections_closed_total{reporter="source",destination_service_name="ledger"}[60s]))',
  'sum(rate(process_cpu_seconds_total{app="istiod"}[60s]))',
  'max(process_resident_memory_bytes{app="istiod"})',
];
