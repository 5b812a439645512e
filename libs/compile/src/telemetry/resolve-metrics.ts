import type { Metrics } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { matchesSide, providerNames, type Side } from './levels.js';
import { findProvider } from './providers.js';

/** Istio's standard metrics by their names in Telemetry, with those that Prometheus shows behind `istio_`. */
export const standardMetrics = {
  REQUEST_COUNT: 'requests_total',
  REQUEST_DURATION: 'request_duration_milliseconds',
  REQUEST_SIZE: 'request_bytes',
  RESPONSE_SIZE: 'response_bytes',
  TCP_OPENED_CONNECTIONS: 'tcp_connections_opened_total',
  TCP_CLOSED_CONNECTIONS: 'tcp_connections_closed_total',
  TCP_SENT_BYTES: 'tcp_sent_bytes_total',
  TCP_RECEIVED_BYTES: 'tcp_received_bytes_total',
  GRPC_REQUEST_MESSAGES: 'request_messages_total',
  GRPC_RESPONSE_MESSAGES: 'response_messages_total',
} as const;
export type StandardMetric = keyof typeof standardMetrics;

const allMetrics = Object.keys(standardMetrics) as StandardMetric[];

/** Changes to the tags of a metric by name: a CEL expression, or null where the tag is taken away. */
export type TagChanges = ReadonlyMap<string, string | null>;

/** How one side of a proxy counts: changes by metric; undefined where nothing is counted. */
export interface MetricsTarget {
  readonly disabled: ReadonlySet<StandardMetric>;
  readonly tags: ReadonlyMap<StandardMetric, TagChanges>;
}

type Override = NonNullable<Metrics['overrides']>[number];

/** The metrics that an override is about; a custom one counts where it is a standard one by its own name. */
function metricsOf({ match }: Override): readonly StandardMetric[] {
  const { metric, customMetric } = match ?? {};
  if (customMetric !== undefined) return allMetrics.filter((name) => isCalled(name, customMetric));
  return metric === undefined || metric === 'ALL_METRICS' ? allMetrics : [metric];
}

function isCalled(metric: StandardMetric, text: string): boolean {
  return [metric, standardMetrics[metric], `istio_${standardMetrics[metric]}`].includes(text);
}

const isForAll = ({ match }: Override): boolean =>
  match?.customMetric === undefined && (match?.metric ?? 'ALL_METRICS') === 'ALL_METRICS';

/**
 * The metrics of one side of a proxy (Istio, "Telemetry", metrics): the last entry that names providers says which, and
 * overrides apply in order, of the mesh, the namespace and the workload.
 * @param entries the `metrics` of all Telemetry resources, the farthest first
 * @returns undefined where nothing is counted for Prometheus by the proxy itself
 */
export function resolveMetrics(entries: readonly Metrics[], config: MeshConfig, side: Side): MetricsTarget | undefined {
  return metricsFor((name) => findProvider(config, name)?.prometheus !== undefined, entries, config, side);
}

/** Likewise of the first provider of a kind; undefined where it counts nothing. */
export function metricsFor(
  isOne: (provider: string) => boolean,
  entries: readonly Metrics[],
  config: MeshConfig,
  side: Side,
): MetricsTarget | undefined {
  const defaults = config.defaultProviders.metrics;
  const inScope = entries.findLast(({ providers }) => providerNames(providers)) ?? undefined;
  const names = providerNames(inScope?.providers) ?? defaults;
  const counted = names.find(isOne);
  if (counted === undefined) return undefined;
  return mergeOverrides(
    entriesAbout(counted, entries, defaults).flatMap(({ overrides = [] }) => overrides),
    side,
  );
}

/** Entries that name a provider, or follow one that does. */
function entriesAbout(provider: string, entries: readonly Metrics[], defaults: readonly string[]): readonly Metrics[] {
  let current = defaults;
  return entries.filter((entry) => {
    current = providerNames(entry.providers) ?? current;
    return current.includes(provider);
  });
}

function mergeOverrides(overrides: readonly Override[], side: Side): MetricsTarget | undefined {
  const disabled = new Map<StandardMetric, boolean>();
  const tags = new Map<StandardMetric, Map<string, string | null>>();
  let nothing = false;
  for (const override of overrides.filter(({ match }) => matchesSide(match?.mode, side))) {
    nothing = isForAll(override) && override.disabled === true;
    if (nothing) continue;
    for (const metric of metricsOf(override)) {
      if (override.disabled !== undefined) disabled.set(metric, override.disabled);
      const changes = tags.get(metric) ?? new Map<string, string | null>();
      for (const [name, { operation, value }] of Object.entries(override.tagOverrides ?? {})) {
        if (operation === 'REMOVE') changes.set(name, null);
        // Without value there is nothing to set.
        else if (value) changes.set(name, value);
      }
      if (changes.size > 0) tags.set(metric, changes);
    }
  }
  if (nothing) return undefined;
  return { disabled: new Set(allMetrics.filter((metric) => disabled.get(metric))), tags };
}
