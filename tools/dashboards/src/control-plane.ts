import type { Dashboard, Panel, Query, Unit } from './grafana.js';
import { quantileQueries, sumRate } from './queries.js';

const graph = (title: string, unit: Unit, queries: readonly Query[], description?: string): Panel => ({
  title,
  kind: 'timeseries',
  unit,
  queries,
  ...(description !== undefined && { description }),
});

/** Of something that may never have happened yet: then there is no series of it. */
const events = (metric: string, legend: string): Query => ({ expr: `${sumRate(metric)} or vector(0)`, legend });

const process = (title: string, unit: Unit, expr: string): Panel =>
  graph(title, unit, [{ expr, legend: '{{job}} {{instance}}' }]);

/** A scrape target that is one of Seine's own programs. */
const ours = 'and on (job, instance) istio_build';

export const controlPlaneDashboard: Dashboard = {
  uid: 'seine-control-plane',
  title: 'Seine: control plane',
  description: 'Pilot, citadel, mixer, the agents and the proxies that they serve.',
  variables: [],
  rows: [
    {
      title: 'Programs',
      panels: [
        graph('Parts by version', 'none', [
          { expr: 'sum(istio_build) by (component, tag)', legend: '{{component}} {{tag}}' },
        ]),
        process('Memory', 'bytes', `process_resident_memory_bytes ${ours}`),
        process('CPU', 'none', `rate(process_cpu_seconds_total[$__rate_interval]) ${ours}`),
        process('Heap in use', 'bytes', `nodejs_heap_size_used_bytes ${ours}`),
        process('Event loop lag, P99', 's', `nodejs_eventloop_lag_p99_seconds ${ours}`),
        process('Open handles', 'none', `nodejs_active_handles_total ${ours}`),
      ],
    },
    {
      title: 'Pilot: what proxies get',
      panels: [
        graph('Responses sent, by type', 'ops', [{ expr: sumRate('pilot_xds_pushes', ['type']), legend: '{{type}}' }]),
        graph(
          'From a response to its acknowledgement',
          's',
          quantileQueries('pilot_proxy_convergence_time', '', [], '', [0.5, 0.9, 0.99]),
        ),
        graph('Time to hand a mesh to all', 's', quantileQueries('pilot_xds_push_time', '', [], '', [0.5, 0.9, 0.99])),
        graph(
          'Size of responses, P99',
          'bytes',
          quantileQueries('pilot_xds_config_size_bytes', '', ['type'], '{{type}}', [0.99]),
        ),
        graph('Connected proxies', 'none', [{ expr: 'sum(pilot_xds)', legend: 'streams' }]),
        graph('Refused and failed', 'ops', [
          events('pilot_xds_cds_reject', 'clusters'),
          events('pilot_xds_eds_reject', 'endpoints'),
          events('pilot_xds_lds_reject', 'listeners'),
          events('pilot_xds_rds_reject', 'routes'),
          events('pilot_total_xds_internal_errors', 'internal errors'),
          events('pilot_xds_write_timeout', 'slow readers'),
          events('seine_xds_refused_streams_total', 'streams turned away'),
        ]),
      ],
    },
    {
      title: 'Pilot: what changes',
      panels: [
        graph('Pushes, by what had changed', 'ops', [
          { expr: sumRate('pilot_push_triggers', ['type']), legend: '{{type}}' },
        ]),
        graph('Changes of configuration', 'ops', [
          { expr: sumRate('pilot_k8s_cfg_events', ['type', 'event']), legend: '{{type}} {{event}}' },
        ]),
        graph('Changes of services and places', 'ops', [
          { expr: sumRate('pilot_k8s_reg_events', ['type', 'event']), legend: '{{type}} {{event}}' },
        ]),
        graph('From a change to its mesh', 's', [
          ...quantileQueries('pilot_debounce_time', '', [], 'wait', [0.99]),
          ...quantileQueries('pilot_pushcontext_init_seconds', '', [], 'work', [0.99]),
        ]),
        graph('Known', 'none', [
          { expr: 'max(pilot_services)', legend: 'services' },
          { expr: 'max(pilot_virt_services)', legend: 'virtual services' },
          { expr: 'max(pilot_destrule_subsets)', legend: 'subsets' },
        ]),
        graph('Listeners that contend', 'none', [
          { expr: 'sum(pilot_conflict_outbound_listener_tcp_over_current_tcp)', legend: 'ports without a listener' },
        ]),
        graph('Keys of who issues tokens', 's', [{ expr: 'max(seine_jwks_age_seconds)', legend: 'age of the oldest' }]),
      ],
    },
    {
      title: 'Registry',
      panels: [
        graph('Objects applied', 'ops', [
          events('galley_validation_passed', 'valid'),
          events('galley_validation_failed', 'refused'),
        ]),
      ],
    },
    {
      title: 'Citadel',
      panels: [
        graph('Certificates', 'ops', [
          events('citadel_server_csr_count', 'asked for'),
          events('citadel_server_success_cert_issuance_count', 'issued'),
        ]),
        graph('Refused', 'ops', [
          events('citadel_server_authentication_failure_count', 'not believed'),
          events('citadel_server_csr_parsing_err_count', 'unreadable'),
          events('citadel_server_csr_sign_err_count', 'not signed'),
        ]),
        graph('Until what signs ends', 's', [
          { expr: 'min(citadel_server_root_cert_expiry_timestamp) - time()', legend: 'first root' },
          { expr: 'min(citadel_server_cert_chain_expiry_timestamp) - time()', legend: 'signing certificate' },
        ]),
      ],
    },
    {
      title: 'Agents',
      panels: [
        graph('Certificates asked for', 'ops', [
          events('istio_agent_num_outgoing_requests', 'asked'),
          events('istio_agent_num_failed_outgoing_requests', 'failed'),
        ]),
        graph('Shortest remaining life of a certificate', 's', [
          { expr: 'min(istio_agent_cert_expiry_seconds) by (workload)', legend: '{{workload}}' },
        ]),
        graph('Scrapes of workloads', 'ops', [
          events('istio_agent_scrapes_total', 'asked for'),
          events('istio_agent_scrape_failures_total', 'Envoy or application did not answer'),
        ]),
      ],
    },
    {
      title: 'Mixer',
      panels: [
        graph('Checks', 'ops', [
          { expr: `${sumRate('mixer_check_decisions_total', ['code'])} or vector(0)`, legend: '{{code}}' },
          events('mixer_check_passed_unchecked_total', 'passed without an answer'),
        ]),
        graph('Verdicts', 'ops', [
          events('mixer_checkcache_cache_hits_total', 'known already'),
          events('mixer_checkcache_cache_misses_total', 'asked of an adapter'),
        ]),
        graph('Rate limits', 'ops', [
          events('ratelimit_service_rate_limit_within_limit', 'let through'),
          events('ratelimit_service_rate_limit_over_limit', 'over a limit'),
          events('ratelimit_service_rate_limit_shadow_mode', 'over a limit that does not hold yet'),
        ]),
        graph('Most asked limits', 'ops', [
          {
            expr: `topk(10, ${sumRate('ratelimit_service_rate_limit_total_hits', ['limit'])}) or vector(0)`,
            legend: '{{limit}}',
          },
        ]),
        graph('Log entries of proxies', 'ops', [
          { expr: `${sumRate('mixer_access_log_entries_total', ['result'])} or vector(0)`, legend: '{{result}}' },
          events('mixer_access_log_sink_failures_total', 'not handed on'),
        ]),
        graph('Handlers asked and told', 'ops', [
          { expr: `${sumRate('mixer_runtime_dispatches_total', ['handler'])} or vector(0)`, legend: '{{handler}}' },
          events('mixer_runtime_reports_dropped_total', 'reports dropped'),
        ]),
        graph('Rules at work', 'none', [
          { expr: 'max(mixer_config_rule_configs_total)', legend: 'rules' },
          { expr: 'max(mixer_config_rule_config_errors_total)', legend: 'that are wrong' },
          { expr: 'max(mixer_config_handler_config_errors_total)', legend: 'handlers that are wrong' },
        ]),
        graph('Spans of proxies', 'ops', [events('mixer_spans_total', 'taken')]),
        graph('Series of the mesh’s metrics', 'none', [
          { expr: 'max(mixer_mesh_metric_series) by (metric) or vector(0)', legend: '{{metric}}' },
        ]),
      ],
    },
    {
      title: 'Proxies',
      panels: [
        graph('Connected to pilot', 'none', [{ expr: 'sum(envoy_control_plane_connected_state)', legend: 'proxies' }]),
        graph('Memory of proxies', 'bytes', [
          { expr: 'max(envoy_server_memory_physical_size)', legend: 'largest' },
          { expr: 'avg(envoy_server_memory_physical_size)', legend: 'mean' },
        ]),
        graph('Configuration refused', 'ops', [
          events('envoy_listener_manager_lds_update_rejected', 'listeners'),
          events('envoy_cluster_manager_cds_update_rejected', 'clusters'),
        ]),
      ],
    },
  ],
};
