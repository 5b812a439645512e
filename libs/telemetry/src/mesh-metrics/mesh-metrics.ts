import type { LogHead } from '@seine/mixer';
import { isLabelName } from '../series/label-text.js';
import type { Series } from '../series/series.js';
import type { SeriesStore } from '../series/series-store.js';
import { countsMessages, meshMetricFamilies, type MeshMetricName } from './mesh-metric-families.js';

/** What one combination of labels counts; what Telemetry has turned off is not there. */
export type MeshCounters = Readonly<Partial<Record<MeshMetricName, Series>>>;

export interface MeshMetricsOptions {
  /** Series of one metric; default 10,000. */
  readonly maxSeries?: number | undefined;
  /** Longest value of a label, characters; default 1,024. */
  readonly maxLabelLength?: number | undefined;
}

/** Labels of what has come to an end. */
const ofResponses: ReadonlySet<string> = new Set(['response_code', 'grpc_response_status', 'response_flags']);

/** Istio's standard metrics, counted from log entries by the labels that proxies are configured with. */
export class MeshMetrics {
  constructor(
    private readonly store: SeriesStore,
    private readonly options: MeshMetricsOptions = {},
  ) {}

  /**
   * The counters of a row: to be kept, as looking them up costs.
   * @param values of the head's columns, as Envoy wrote them
   */
  counters(head: LogHead, values: readonly string[]): MeshCounters {
    const reporter = head.reporter === 'inbound' ? 'destination' : 'source';
    const counters: Partial<Record<MeshMetricName, Series>> = {};
    for (const { names, labels } of head.metrics) {
      const columns = labels.map((column) => ({ label: head.columns[column] ?? '', value: values[column] ?? '' }));
      for (const name of names) {
        if (!isMeshMetric(name)) continue;
        const chosen = columns.filter(
          ({ label }) => isLabelName(label) && !(countsMessages(name) && ofResponses.has(label)),
        );
        counters[name] = this.store
          .family({ ...meshMetricFamilies[name], ...this.options })
          .labels(['reporter', ...chosen.map(({ label }) => label)])
          .with([reporter, ...chosen.map(({ label, value }) => labelValue(label, value))]);
      }
    }
    return counters;
  }
}

function isMeshMetric(name: string): name is MeshMetricName {
  return Object.hasOwn(meshMetricFamilies, name);
}

/** `unknown` where a proxy had nothing to say, as Istio's own write it. */
function labelValue(label: string, value: string): string {
  if (value !== '' && value !== '-') return value;
  return label === 'grpc_response_status' || label === 'response_flags' ? value : 'unknown';
}
