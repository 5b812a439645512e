import type { ExtensionProvider, Tracing } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { matchesSide, providerNames, type Side } from './levels.js';
import { isMixer, mixerProvider } from './mixer-service.js';
import { findProvider, settingsTracer } from './providers.js';

export type CustomTags = NonNullable<Tracing['customTags']>;

/** How one side of a proxy traces requests. */
export interface TracingTarget {
  readonly provider: ExtensionProvider;
  /** Percent of the requests about which nobody has decided before. */
  readonly sampling: number;
  readonly customTags: CustomTags;
  readonly istioTags: boolean;
  /** Whether X-Request-Id carries the decision. */
  readonly sampleByRequestId: boolean;
  /** 0 = Envoy's default. */
  readonly maxPathTagLength: number;
}

/** Percent; Istio's PILOT_TRACE_SAMPLING. */
const defaultSampling = 1;

function sharedSampling({ defaultConfig }: MeshConfig): number {
  const sampling = defaultConfig.tracing?.sampling ?? 0;
  if (sampling === 0) return defaultSampling;
  return sampling > 100 ? 1 : sampling;
}

type Settings = Omit<TracingTarget, 'provider'>;

/** What holds where no Telemetry says. */
function sharedSettings(config: MeshConfig): Settings {
  const { customTags = {}, maxPathTagLength = 0 } = config.defaultConfig.tracing ?? {};
  return { sampling: sharedSampling(config), customTags, istioTags: true, sampleByRequestId: true, maxPathTagLength };
}

/**
 * The tracing of one side of a proxy (Istio, "Telemetry", tracing): each field as the nearest entry that sets it says;
 * of several providers the first. Without any entry and default provider, as `defaultConfig.tracing` says.
 * @param entries the `tracing` of all Telemetry resources, the farthest first
 * @returns undefined where nothing is traced
 */
export function resolveTracing(entries: readonly Tracing[], config: MeshConfig, side: Side): TracingTarget | undefined {
  const base = sharedSettings(config);
  const [byDefault] = config.defaultProviders.tracing;
  if (entries.length === 0 && byDefault === undefined) return fromSettings(config, base);
  const matching = entries.filter(({ match }) => matchesSide(match?.mode, side));
  const name = last(matching, ({ providers }) => providerNames(providers)?.[0]) ?? byDefault;
  const provider = name === undefined ? undefined : findTracer(config, name);
  if (!provider || last(matching, (entry) => entry.disableSpanReporting)) return undefined;
  const customTags = last(matching, (entry) => entry.customTags) ?? {};
  return {
    ...base,
    provider,
    sampling: last(matching, (entry) => entry.randomSamplingPercentage) ?? base.sampling,
    customTags: Object.keys(customTags).length > 0 ? customTags : base.customTags,
    istioTags: last(matching, (entry) => entry.enableIstioTags) ?? true,
    sampleByRequestId: last(matching, (entry) => entry.useRequestIdForTraceSampling) ?? true,
  };
}

/** The built-in tracer `mixer` sends what OpenTelemetry's would, and is there without being in the mesh config. */
function findTracer(config: MeshConfig, name: string): ExtensionProvider | undefined {
  return isMixer(name) ? { name, opentelemetry: mixerProvider(config) } : findProvider(config, name);
}

function fromSettings(config: MeshConfig, base: Settings): TracingTarget | undefined {
  const provider = config.enableTracing ? settingsTracer(config) : undefined;
  return provider && { ...base, provider, istioTags: config.defaultConfig.tracing?.enableIstioTags ?? true };
}

/** What the nearest entry that says something says. */
function last<T>(entries: readonly Tracing[], read: (entry: Tracing) => T | undefined): T | undefined {
  for (const entry of [...entries].reverse()) {
    const value = read(entry);
    if (value !== undefined) return value;
  }
  return undefined;
}
