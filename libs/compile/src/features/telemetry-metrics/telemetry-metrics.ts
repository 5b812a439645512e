import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  type AccessLog,
  AccessLogFilterSchema,
  AccessLogSchema,
} from '@seine/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { AccessLogType } from '@seine/envoy/envoy/data/accesslog/v3/accesslog_pb.js';
import {
  Config_Histogram_Unit as Unit,
  type Config_StatSchema,
  ConfigSchema,
} from '@seine/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { memo } from '@seine/memo';
import type { ChainContext } from '../../inputs.js';
import { effectiveTelemetry } from '../../telemetry/effective-telemetry.js';
import { type MetricsTarget, type StandardMetric, standardMetrics } from '../../telemetry/resolve-metrics.js';
import { changedLabels, type Label, type Protocol, type Reporter, standardLabels } from './labels.js';

/** Envoy shows the metrics behind `envoy_seine_`. */
const statPrefix = 'seine';

/** A metric and the log operator that gives what is counted; without, each log entry counts one. */
interface Measure {
  readonly metric: StandardMetric;
  readonly value?: string;
}
const requests: readonly Measure[] = [{ metric: 'REQUEST_COUNT' }];
const histograms: readonly (Required<Measure> & { readonly unit: Unit })[] = [
  { metric: 'REQUEST_DURATION', value: '%DURATION%', unit: Unit.Milliseconds },
  { metric: 'REQUEST_SIZE', value: '%BYTES_RECEIVED%', unit: Unit.Bytes },
  { metric: 'RESPONSE_SIZE', value: '%BYTES_SENT%', unit: Unit.Bytes },
];
const openings: readonly Measure[] = [{ metric: 'TCP_OPENED_CONNECTIONS' }];
const closings: readonly Measure[] = [
  { metric: 'TCP_CLOSED_CONNECTIONS' },
  { metric: 'TCP_SENT_BYTES', value: '%BYTES_SENT%' },
  { metric: 'TCP_RECEIVED_BYTES', value: '%BYTES_RECEIVED%' },
];

/**
 * Istio's standard metrics, made by Envoy's own access logger that counts: one counter for each combination of labels.
 * The logs are the same objects for all filter chains of a side.
 */
export function emitMetricsLog(context: ChainContext, protocol: Protocol): readonly AccessLog[] {
  const { metrics } = effectiveTelemetry(context);
  const reporter = context.role === 'inbound' ? 'destination' : 'source';
  // Bytes have no header by which a caller could say who it is.
  const peers = protocol === 'http' && context.peers === 'believed';
  return metrics ? metricsLog(metrics, reporter, protocol, peers) : none;
}
const none: readonly AccessLog[] = Object.freeze([]);

/** Whether connections must be logged when they are open upstream, and not only at their end. */
export function countsOpenings(context: ChainContext): boolean {
  const { metrics } = effectiveTelemetry(context);
  return metrics !== undefined && !metrics.disabled.has('TCP_OPENED_CONNECTIONS');
}

const metricsLog = memo(
  'metricsLog',
  (metrics: MetricsTarget, reporter: Reporter, protocol: Protocol, peers: boolean): readonly AccessLog[] => {
    const labels = standardLabels(reporter, protocol, peers);
    const log = (counters: readonly Measure[], sizes: typeof histograms, type?: AccessLogType) =>
      emitLogger(metrics, labels, counters, sizes, type);
    return protocol === 'http'
      ? log(requests, histograms)
      : [
          ...log(openings, [], AccessLogType.TcpUpstreamConnected),
          ...log(closings, [], AccessLogType.TcpConnectionEnd),
        ];
  },
);

function emitLogger(
  metrics: MetricsTarget,
  labels: readonly Label[],
  counters: readonly Measure[],
  sizes: typeof histograms,
  type: AccessLogType | undefined,
): AccessLog[] {
  const isOn = ({ metric }: Measure): boolean => !metrics.disabled.has(metric);
  const [counted, measured] = [counters.filter(isOn), sizes.filter(isOn)];
  if (counted.length + measured.length === 0) return [];
  const stat = (metric: StandardMetric) => emitStat(metric, changedLabels(labels, metrics.tags.get(metric)));
  const config = toAny(ConfigSchema, {
    statPrefix,
    counters: counted.map(({ metric, value }) => ({
      stat: stat(metric),
      ...(value === undefined ? { valueFixed: 1n } : { valueFormat: value }),
    })),
    histograms: measured.map(({ metric, value, unit }) => ({ stat: stat(metric), unit, valueFormat: value })),
  });
  return [
    create(AccessLogSchema, {
      name: 'envoy.access_loggers.stats',
      configType: { case: 'typedConfig', value: config },
      ...(type !== undefined && {
        filter: create(AccessLogFilterSchema, {
          filterSpecifier: { case: 'logTypeFilter', value: { types: [type] } },
        }),
      }),
    }),
  ];
}

function emitStat(metric: StandardMetric, labels: readonly Label[]): MessageInitShape<typeof Config_StatSchema> {
  return {
    name: `istio_${standardMetrics[metric]}`,
    tags: labels.map(({ name, format }) => ({ name, valueFormat: format })),
  };
}
