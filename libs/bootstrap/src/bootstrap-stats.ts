import { create } from '@bufbuild/protobuf';
import { type StatsConfig, StatsConfigSchema } from '@seine/envoy/envoy/config/metrics/v3/stats_pb.js';
import type { BootstrapOptions } from './bootstrap-options.js';

/** Static clusters: their names end at the first dot, while those from pilot end with `;` (alt_stat_name). */
const staticClusters = ['xds-grpc', 'prometheus_stats'];

/**
 * How names of statistics come apart into labels, with Istio's label names. Envoy's defaults end a name at its first
 * dot, which would cut `outbound|9080||reviews.default.svc.cluster.local` in pieces.
 */
const statsTags: readonly { readonly name: string; readonly regex: string }[] = [
  { name: 'cluster_name', regex: `^cluster\\.((${staticClusters.join('|')}|[^;]+);?\\.)` },
  { name: 'tcp_prefix', regex: '^tcp\\.(([^;]+);\\.)' },
  { name: 'http_conn_manager_prefix', regex: '^http\\.(([^;]+);\\.)' },
  { name: 'listener_address', regex: '^listener\\.(([0-9a-fA-F_.\\[\\]]+_\\d+)\\.)' },
  { name: 'response_code', regex: '_rq(_(\\d{3}))$' },
  { name: 'response_code_class', regex: '_rq(_(\\dxx))$' },
];

/** What Istio's sidecars keep (ProxyConfig.proxyStatsMatcher adds to it), and RateLimit's counters, by part of the name. */
const kept = {
  prefixes: ['reporter=', 'cluster_manager', 'listener_manager', 'server', 'cluster.xds-grpc', 'wasm', 'rate_limit.'],
  suffixes: [
    'rbac.allowed',
    'rbac.denied',
    'shadow_allowed',
    'shadow_denied',
    'downstream_cx_active',
    'component',
    'istio',
  ],
  regexes: ['vhost\\..*\\.route\\..*', 'cluster\\..*\\.upstream_rq.*', 'cluster\\..*\\.ratelimit\\..*'],
};

export function renderStatsConfig(stats: BootstrapOptions['stats']): StatsConfig {
  return create(StatsConfigSchema, {
    useAllDefaultTags: false,
    statsTags: statsTags.map(({ name, regex }) => ({
      tagName: name,
      tagValue: { case: 'regex' as const, value: regex },
    })),
    ...(stats === 'istio' && {
      statsMatcher: {
        statsMatcher: {
          case: 'inclusionList' as const,
          value: {
            patterns: [
              ...kept.prefixes.map((value) => ({ matchPattern: { case: 'prefix' as const, value } })),
              ...kept.suffixes.map((value) => ({ matchPattern: { case: 'suffix' as const, value } })),
              ...kept.regexes.map((regex) => ({ matchPattern: { case: 'safeRegex' as const, value: { regex } } })),
            ],
          },
        },
      },
    }),
  });
}
