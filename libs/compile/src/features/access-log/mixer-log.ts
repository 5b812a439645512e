import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { type AccessLog, AccessLogSchema } from '@seine/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from '@seine/envoy/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { memo } from '@seine/memo';
import { formatLogName, type LogMetrics, type LogPurpose, messagesTag, rowSeparator, rowTag } from '@seine/mixer';
import type { ChainContext } from '../../inputs.js';
import { effectiveTelemetry } from '../../telemetry/effective-telemetry.js';
import { mixerProvider } from '../../telemetry/mixer-service.js';
import { type ProviderCluster, providerKey } from '../../telemetry/providers.js';
import {
  type MetricsTarget,
  type StandardMetric,
  standardMetrics,
  type TagChanges,
} from '../../telemetry/resolve-metrics.js';
import type { MixerTelemetry } from '../../telemetry/resolve-mixer.js';
import {
  changedLabels,
  type Label,
  type Protocol,
  type Reporter,
  standardLabels,
} from '../telemetry-metrics/labels.js';
import { celFilter } from './cel-filter.js';

/** What mixer's report rules look at, as Envoy has to be told it. */
export interface MixerReports {
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly responseTrailers: readonly string[];
}

/** Entries are sent when they are so old: nothing waits for it, and few are lost with a mixer. */
const flushIntervalMs = 1000;
/** So much each of Envoy's threads holds while mixer is slow; what comes beyond it is dropped, and counted as `logs_dropped`. */
const bufferBytes = 1024 * 1024;
/** Of several mixers those that are gone are passed over: entries that no stream can be made for are lost. */
const streamRetries = 10;

/** Mixer's trace of a request begins here. */
const tracedHeaders = ['traceparent'];

/**
 * The log of requests or connections that goes to mixer: for the service graph, its metrics, rules that report, and whoever
 * takes records. One log serves them all, but for records that have a filter of their own. Nothing where nobody wants it, or
 * where the proxy does not see mixer.
 */
export function emitMixerLog(context: ChainContext, protocol: Protocol): readonly AccessLog[] {
  const { mixer } = effectiveTelemetry(context);
  const reports = context.policies.mixerReports;
  if (!mixer && !reports) return none;
  const cluster = context.policies.providerClusters?.get(providerKey(mixerProvider(context.config)));
  if (!cluster) return none;
  const reporter = context.role === 'inbound' ? 'destination' : 'source';
  // Bytes have no header by which a caller could say who it is.
  const peers = protocol === 'http' && context.peers === 'believed';
  return mixerLogs(mixer, reports, cluster.host, cluster.cluster, reporter, protocol, peers);
}
const none: readonly AccessLog[] = Object.freeze([]);

/** How often a connection that goes on is told of, ms (Istio: of its metrics each 5 s; Mixer's reports each 10 s). */
const intervals = { metrics: 5000, others: 10_000 } as const;

/** @returns undefined where mixer is told nothing of connections */
export function mixerFlushInterval(context: ChainContext): number | undefined {
  if (emitMixerLog(context, 'tcp').length === 0) return undefined;
  const { mixer } = effectiveTelemetry(context);
  return mixer?.reportingInterval ?? (mixer?.metrics ? intervals.metrics : intervals.others);
}

const mixerLogs = memo(
  'mixerLogs',
  (
    mixer: MixerTelemetry | undefined,
    reports: MixerReports | undefined,
    host: string,
    cluster: string,
    reporter: Reporter,
    protocol: Protocol,
    peers: boolean,
  ): readonly AccessLog[] => {
    const filter = mixer?.records?.filter;
    const others: LogPurpose[] = [
      ...(mixer?.records && filter === undefined ? (['records'] as const) : []),
      ...(reports ? (['rules'] as const) : []),
      ...(mixer?.metrics ? (['metrics'] as const) : []),
    ];
    const log = { target: { host, cluster }, reporter, protocol, peers, metrics: mixer?.metrics, reports };
    return [
      ...(others.length > 0 ? [emitLogger({ ...log, purposes: ['graph', ...others], filter: undefined })] : []),
      ...(filter === undefined ? [] : [emitLogger({ ...log, purposes: ['records'], filter, metrics: undefined })]),
    ];
  },
);

interface Log {
  readonly target: ProviderCluster;
  readonly reporter: Reporter;
  readonly protocol: Protocol;
  readonly peers: boolean;
  readonly metrics: MetricsTarget | undefined;
  readonly reports: MixerReports | undefined;
  readonly purposes: readonly LogPurpose[];
  readonly filter: string | undefined;
}

function emitLogger(log: Log): AccessLog {
  const { protocol, filter, reports } = log;
  const commonConfig = emitCommon(log);
  const name = protocol === 'http' ? 'envoy.access_loggers.http_grpc' : 'envoy.access_loggers.tcp_grpc';
  const typedConfig =
    protocol === 'http'
      ? toAny(HttpGrpcAccessLogConfigSchema, {
          commonConfig,
          additionalRequestHeadersToLog: [...new Set([...tracedHeaders, ...(reports?.requestHeaders ?? [])])],
          additionalResponseHeadersToLog: [...(reports?.responseHeaders ?? [])],
          additionalResponseTrailersToLog: [...(reports?.responseTrailers ?? [])],
        })
      : toAny(TcpGrpcAccessLogConfigSchema, { commonConfig });
  return create(AccessLogSchema, {
    name,
    configType: { case: 'typedConfig', value: typedConfig },
    ...(filter !== undefined && { filter: celFilter(filter) }),
  });
}

function emitCommon({ target, reporter, protocol, peers, metrics, purposes }: Log) {
  const labels = standardLabels(reporter, protocol, peers).filter(({ name }) => name !== 'reporter');
  const columns = new Columns(labels);
  const counted = metrics ? columns.of(metrics, protocol) : [];
  const countsMessages = counted.some(({ names }) => names.includes(standardMetrics.GRPC_REQUEST_MESSAGES));
  const tag = (name: string, format: string) => ({ tag: name, type: { case: 'value' as const, value: format } });
  return {
    logName: formatLogName({
      reporter: reporter === 'source' ? 'outbound' : 'inbound',
      purposes,
      columns: columns.all.map(({ name }) => name),
      metrics: counted,
    }),
    grpcService: {
      targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: target.cluster, authority: target.host } },
    },
    transportApiVersion: ApiVersion.V3,
    bufferFlushInterval: durationOf(flushIntervalMs),
    bufferSizeBytes: bufferBytes,
    grpcStreamRetryPolicy: { numRetries: streamRetries },
    customTags: [
      tag(rowTag, columns.all.map(({ format }) => format).join(rowSeparator)),
      ...(countsMessages ? [tag(messagesTag, '%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%')] : []),
    ],
  };
}

const byProtocol: Readonly<Record<Protocol, readonly StandardMetric[]>> = {
  http: [
    ...(['REQUEST_COUNT', 'REQUEST_DURATION', 'REQUEST_SIZE', 'RESPONSE_SIZE'] as const),
    ...(['GRPC_REQUEST_MESSAGES', 'GRPC_RESPONSE_MESSAGES'] as const),
  ],
  tcp: ['TCP_OPENED_CONNECTIONS', 'TCP_CLOSED_CONNECTIONS', 'TCP_SENT_BYTES', 'TCP_RECEIVED_BYTES'],
};

/** The columns of a log: those of the standard labels first, then what tags of Telemetry make of them. */
class Columns {
  readonly all: Label[];

  constructor(private readonly standard: readonly Label[]) {
    this.all = [...standard];
  }

  /** The metrics of a protocol that are on, together where their labels are the same. */
  of({ disabled, tags }: MetricsTarget, protocol: Protocol): readonly LogMetrics[] {
    const groups = new Map<string, { names: string[]; labels: readonly number[] }>();
    for (const metric of byProtocol[protocol].filter((one) => !disabled.has(one))) {
      const labels = this.#columns(tags.get(metric));
      const key = labels.join();
      const group = groups.get(key);
      if (group) group.names.push(standardMetrics[metric]);
      else groups.set(key, { names: [standardMetrics[metric]], labels });
    }
    return [...groups.values()];
  }

  #columns(changes: TagChanges | undefined): readonly number[] {
    return changedLabels(this.standard, changes).map(({ name, format }) => {
      const known = this.all.findIndex((one) => one.name === name && one.format === format);
      return known >= 0 ? known : this.all.push({ name, format }) - 1;
    });
  }
}
