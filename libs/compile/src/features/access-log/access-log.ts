import { create } from '@bufbuild/protobuf';
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
  AccessLogSchema,
} from '@seine/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { AccessLogType } from '@seine/envoy/envoy/data/accesslog/v3/accesslog_pb.js';
import type { MeshConfig } from '@seine/model';
import type { ChainContext } from '../../inputs.js';
import { effectiveTelemetry } from '../../telemetry/effective-telemetry.js';
import type { LogTarget } from '../../telemetry/resolve-logs.js';
import { celFilter } from './cel-filter.js';
import { emitFileSink, meshConfigFormat } from './file-sink.js';
import { emitGrpcSink } from './grpc-sinks.js';
import { emitMixerLog, mixerFlushInterval } from './mixer-log.js';
import type { Sink } from './sink.js';

/** What is logged: whole requests, connections, or connections that no filter chain takes. */
type Logged = 'requests' | 'connections' | 'unmatched';

/** The log of requests: where `Telemetry.accessLogging`, `defaultProviders` or `accessLogFile` say, else none. */
export function emitAccessLog(context: ChainContext): AccessLog[] {
  return [...emitMixerLog(context, 'http'), ...emitLogs(context, 'requests')];
}

/** The log of connections, likewise, but for mixer's (see `emitMixerLog`). */
export function emitConnectionLog(context: ChainContext): AccessLog[] {
  return emitLogs(context, 'connections');
}

/**
 * The log of a listener itself: connections that no filter chain takes never reach a filter that would log them, so
 * only they (response flag NR, no route) are logged here.
 */
export function emitListenerAccessLog(context: ChainContext): AccessLog[] {
  return context.config.disableEnvoyListenerLog ? [] : emitLogs(context, 'unmatched');
}

function emitLogs(context: ChainContext, logged: Logged): AccessLog[] {
  const { accessLogs, metrics } = effectiveTelemetry(context);
  const filters = logged === 'connections' ? ofConnections(context, metrics !== undefined) : filtersOf[logged];
  if (accessLogs) return accessLogs.flatMap((target) => emitTarget(target, context, filters));
  const { accessLogFile } = context.config;
  if (accessLogFile === '') return [];
  return [accessLog(emitFileSink(accessLogFile, meshConfigFormat(context.config)), filters)];
}

type Filters = readonly AccessLogFilter[];

function emitTarget({ provider, filter }: LogTarget, context: ChainContext, filters: Filters): AccessLog[] {
  const { envoyFileAccessLog: file } = provider;
  const sink = file
    ? emitFileSink(file.path ?? '/dev/stdout', fileFormat(provider.name, file, context.config))
    : emitGrpcSink(provider, context.policies.providerClusters);
  return sink ? [accessLog(sink, filter === undefined ? filters : [...filters, celFilter(filter)])] : [];
}

/** Istio's own provider `envoy` follows the mesh config, unless somebody gave it a format. */
function fileFormat(
  name: string,
  { logFormat, omitEmptyValues = false }: NonNullable<LogTarget['provider']['envoyFileAccessLog']>,
  config: MeshConfig,
) {
  if (name === 'envoy' && !logFormat && !omitEmptyValues) return meshConfigFormat(config);
  return { text: logFormat?.text, labels: logFormat?.labels, omitEmptyValues };
}

function accessLog({ name, typedConfig }: Sink, filters: Filters): AccessLog {
  const [only] = filters;
  const filter =
    filters.length > 1
      ? create(AccessLogFilterSchema, { filterSpecifier: { case: 'andFilter', value: { filters: [...filters] } } })
      : only;
  return create(AccessLogSchema, {
    name,
    configType: { case: 'typedConfig', value: typedConfig },
    ...(filter && { filter }),
  });
}

/**
 * For the metrics, connections are told of when they are open upstream, too, and for mixer while they go on; that is not what
 * people read.
 */
function ofConnections(context: ChainContext, isCounted: boolean): Filters {
  const isFollowed = mixerFlushInterval(context) !== undefined;
  if (!isCounted && !isFollowed) return [];
  const types = [AccessLogType.TcpUpstreamConnected, ...(isFollowed ? [AccessLogType.TcpPeriodic] : [])];
  return [
    create(AccessLogFilterSchema, { filterSpecifier: { case: 'logTypeFilter', value: { types, exclude: true } } }),
  ];
}

const filtersOf: Readonly<Record<Exclude<Logged, 'connections'>, Filters>> = {
  requests: [],
  unmatched: [
    create(AccessLogFilterSchema, { filterSpecifier: { case: 'responseFlagFilter', value: { flags: ['NR'] } } }),
  ],
};
