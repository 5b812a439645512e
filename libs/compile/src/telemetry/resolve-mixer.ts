import { type AccessLogging, type Metrics, parseDuration } from '@seine/istio';
import { memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import { matchesSide, providerNames, type Side } from './levels.js';
import { isMixer } from './mixer-service.js';
import { type MetricsTarget, metricsFor } from './resolve-metrics.js';

/** What one side of a proxy tells mixer of its traffic. */
export interface MixerTelemetry {
  /** Its access logs; undefined = none. */
  readonly records: MixerRecords | undefined;
  /** What mixer counts; undefined = nothing. */
  readonly metrics: MetricsTarget | undefined;
  /** How often a connection that goes on is told of, ms; undefined = nobody has said. */
  readonly reportingInterval: number | undefined;
}

export interface MixerRecords {
  /** CEL that must hold for what is logged; undefined = all is. */
  readonly filter: string | undefined;
}

const mixerTelemetry = memo(
  'mixerTelemetry',
  (
    records: MixerRecords | undefined,
    metrics: MetricsTarget | undefined,
    reportingInterval: number | undefined,
  ): MixerTelemetry => Object.freeze({ records, metrics, reportingInterval }),
);

/**
 * What Telemetry has go to the built-in provider `mixer`.
 * @param logs the `accessLogging` of each Telemetry, the farthest first
 * @param metrics the `metrics` of all, likewise
 * @returns undefined where that is nothing
 */
export function resolveMixer(
  logs: readonly (readonly AccessLogging[])[],
  metrics: readonly Metrics[],
  config: MeshConfig,
  side: Side,
): MixerTelemetry | undefined {
  const records = resolveRecords(logs, config, side);
  const counted = metricsFor(isMixer, metrics, config, side);
  if (!records && !counted) return undefined;
  return mixerTelemetry(records, counted, counted && intervalOf(metrics, config));
}

const allRecords: MixerRecords = Object.freeze({ filter: undefined });
const recordsIf = memo('mixerRecords', (filter: string): MixerRecords => Object.freeze({ filter }));

/**
 * As a provider of access logs. Where it is one by default, it stays one beside others that are named: what is written to files
 * and what mixer is told are different things. An entry that disables it, by name or after one that names it, is obeyed.
 */
function resolveRecords(
  levels: readonly (readonly AccessLogging[])[],
  { defaultProviders }: MeshConfig,
  side: Side,
): MixerRecords | undefined {
  const byDefault = defaultProviders.accessLogging.some(isMixer);
  let records = byDefault ? allRecords : undefined;
  let current: readonly string[] = defaultProviders.accessLogging;
  for (const entries of levels) {
    // Of those that are no default, a level that names others replaces them.
    const named = entries.filter(({ match }) => matchesSide(match?.mode, side)).flatMap(namesOf);
    if (!byDefault && named.length > 0 && !named.some(isMixer)) records = undefined;
    for (const entry of entries) {
      current = providerNames(entry.providers) ?? current;
      if (matchesSide(entry.match?.mode, side) && current.some(isMixer)) records = recordsAfter(entry, records);
    }
  }
  return records;
}

/** An entry about mixer: without providers it speaks of the one before, whose filter stays unless it has its own. */
function recordsAfter({ providers, filter, disabled }: AccessLogging, before: MixerRecords | undefined) {
  if (disabled === true) return undefined;
  const expression = filter?.expression || (providers?.length ? undefined : before?.filter);
  return expression === undefined ? allRecords : recordsIf(expression);
}

const namesOf = ({ providers }: AccessLogging): readonly string[] => providerNames(providers) ?? [];

/** The `reportingInterval` of the nearest entry about mixer that has one. */
function intervalOf(entries: readonly Metrics[], { defaultProviders }: MeshConfig): number | undefined {
  let current: readonly string[] = defaultProviders.metrics;
  let interval: number | undefined;
  for (const { providers, reportingInterval } of entries) {
    current = providerNames(providers) ?? current;
    if (reportingInterval !== undefined && current.some(isMixer)) interval = parseDuration(reportingInterval);
  }
  return interval;
}
