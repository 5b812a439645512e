import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  type StatsConfig,
  StatsConfigSchema,
  StatsdSinkSchema,
  type StatsSink,
  StatsSinkSchema,
} from '@seine/envoy/envoy/config/metrics/v3/stats_pb.js';
import type { ProxySettings } from '@seine/istio';
import type { BootstrapOptions } from './bootstrap-options.js';
import { socketAddress } from './bootstrap-static.js';

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
  prefixes: [
    'reporter=',
    'seine.istio_',
    'cluster_manager',
    'listener_manager',
    'server',
    'cluster.xds-grpc',
    'wasm',
    'rate_limit.',
  ],
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

/** Tags of the mesh's own beside Envoy's: in names of statistics as `tag=.value;.` (Istio: extraStatTags). */
function extraTag(name: string) {
  return { name, regex: `(${name}\\.=\\.(.*?);\\.)` };
}

type Matcher = NonNullable<ProxySettings['proxyStatsMatcher']>;

/** What is kept: Istio's own, and what the settings add to it. */
function inclusions({ inclusionPrefixes = [], inclusionSuffixes = [], inclusionRegexps = [] }: Matcher = {}) {
  return [
    ...[...kept.prefixes, ...inclusionPrefixes].map((value) => ({
      matchPattern: { case: 'prefix' as const, value },
    })),
    ...[...kept.suffixes, ...inclusionSuffixes].map((value) => ({
      matchPattern: { case: 'suffix' as const, value },
    })),
    ...[...kept.regexes, ...inclusionRegexps].map((regex) => ({
      matchPattern: { case: 'safeRegex' as const, value: { regex } },
    })),
  ];
}

export function renderStatsConfig(
  stats: BootstrapOptions['stats'],
  { proxyStatsMatcher, extraStatTags = [] }: ProxySettings = {},
): StatsConfig {
  return create(StatsConfigSchema, {
    useAllDefaultTags: false,
    statsTags: [...statsTags, ...extraStatTags.map(extraTag)].map(({ name, regex }) => ({
      tagName: name,
      tagValue: { case: 'regex' as const, value: regex },
    })),
    ...(stats === 'istio' && {
      statsMatcher: {
        statsMatcher: { case: 'inclusionList' as const, value: { patterns: inclusions(proxyStatsMatcher) } },
      },
    }),
  });
}

/** Where statistics are pushed to: `statsdUdpAddress`, `host:port`. */
export function renderStatsSinks({ statsdUdpAddress = '' }: ProxySettings): StatsSink[] {
  const at = statsdUdpAddress.lastIndexOf(':');
  if (at < 0) return [];
  const host = statsdUdpAddress.slice(0, at).replace(/^\[|\]$/g, '');
  const config = {
    statsdSpecifier: { case: 'address' as const, value: socketAddress(host, Number(statsdUdpAddress.slice(at + 1))) },
  };
  return [
    create(StatsSinkSchema, {
      name: 'envoy.stat_sinks.statsd',
      configType: { case: 'typedConfig', value: toAny(StatsdSinkSchema, config) },
    }),
  ];
}
