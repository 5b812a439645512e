import type { Telemetry } from '@seine/istio';
import { memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import type { ChainContext } from '../inputs.js';
import { type Side, telemetryLevels } from './levels.js';
import { type LogTarget, resolveLogs } from './resolve-logs.js';
import { type MetricsTarget, resolveMetrics } from './resolve-metrics.js';
import { type MixerTelemetry, resolveMixer } from './resolve-mixer.js';
import { resolveTracing, type TracingTarget } from './resolve-tracing.js';

/** What one side of a proxy tells of its traffic: all Telemetry resources that select it, taken together. */
export interface EffectiveTelemetry {
  /** Undefined: as the mesh config's accessLogFile says. */
  readonly accessLogs: readonly LogTarget[] | undefined;
  readonly tracing: TracingTarget | undefined;
  readonly metrics: MetricsTarget | undefined;
  /** What mixer is told. */
  readonly mixer: MixerTelemetry | undefined;
}

/**
 * Merges Telemetry resources as Istio does. Worked out once for the same resources, config and side: the result is then
 * the same object, however many filter chains ask.
 * @param selected as ChainPolicies has them
 */
export const resolveTelemetry = memo(
  'resolveTelemetry',
  (selected: readonly Telemetry[], config: MeshConfig, side: Side): EffectiveTelemetry => {
    const levels = telemetryLevels(selected, config).map(({ spec }) => spec);
    const logs = levels.flatMap(({ accessLogging }) => (accessLogging?.length ? [accessLogging] : []));
    const metrics = levels.flatMap((level) => level.metrics ?? []);
    return Object.freeze({
      accessLogs: resolveLogs(logs, config, side),
      tracing: resolveTracing(
        levels.flatMap(({ tracing }) => tracing ?? []),
        config,
        side,
      ),
      metrics: resolveMetrics(metrics, config, side),
      mixer: resolveMixer(logs, metrics, config, side),
    });
  },
);

/** What a filter chain tells of its traffic. */
export function effectiveTelemetry({ role, policies, config }: ChainContext): EffectiveTelemetry {
  return resolveTelemetry(policies.telemetry, config, role === 'inbound' ? 'SERVER' : 'CLIENT');
}
