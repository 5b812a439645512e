import { parseDuration, type ProxySettings, readProxyConfigAnnotation } from '@seine/istio';
import type { InjectionSettings, Resources } from './injection-settings.js';
import { annotation, type Named } from './pod.js';
import type { ProxyWishes } from './proxy-container.js';
import type { AnnotationProblem } from './traffic-capture.js';

export interface ReadWishes extends Omit<ProxyWishes, 'notes'> {
  readonly proxySettings: ProxySettings;
  readonly rewriteProbes: boolean;
  readonly mergeMetrics: boolean;
  readonly statusPort: number;
  readonly userVolumes: readonly Named[];
}

type Annotations = Readonly<Record<string, string>>;
type Complain = (name: string, message: string) => void;

/** What a pod's annotations ask of its proxy; what is wrong with them goes to `problems`. */
export function readWishes(
  annotations: Annotations,
  settings: InjectionSettings,
  problems: AnnotationProblem[],
): ReadWishes {
  const complain: Complain = (name, message) => {
    problems.push({ annotation: name, message });
  };
  const flag = (name: string, fallback: boolean): boolean => flagOf(annotations, name, complain) ?? fallback;
  const count = (name: string, fallback: number, most = 100_000): number => {
    const text = annotations[name];
    if (text === undefined) return fallback;
    const value = /^\d{1,6}$/.test(text) ? Number(text) : most + 1;
    if (value > most) complain(name, `'${text}' is not a number from 0 to ${most}`);
    return value <= most ? value : fallback;
  };
  const proxySettings = settingsOf(annotations, settings, complain);
  const { holdApplicationUntilProxyStarts, terminationDrainDuration = '5s', readinessProbe } = proxySettings;
  const drainMs = parseDuration(terminationDrainDuration) ?? 5000;
  const ours = 'readiness.status.sidecar.istio.io/';
  return {
    proxySettings,
    image: annotations['sidecar.istio.io/proxyImage'],
    resources: resourcesOf(annotations, settings, complain),
    logLevel: annotations['sidecar.istio.io/logLevel'] ?? settings.logLevel,
    componentLogLevel: annotations['sidecar.istio.io/componentLogLevel'] ?? settings.componentLogLevel,
    holdApplication: holdApplicationUntilProxyStarts === true,
    isNative: flag('sidecar.istio.io/nativeSidecar', settings.nativeSidecars),
    drainSeconds: Math.ceil(drainMs / 1000),
    readiness: {
      initialDelaySeconds: count(`${ours}initialDelaySeconds`, readinessProbe?.initialDelaySeconds ?? 0),
      periodSeconds: count(`${ours}periodSeconds`, readinessProbe?.periodSeconds ?? 15),
      failureThreshold: count(`${ours}failureThreshold`, readinessProbe?.failureThreshold ?? 4),
    },
    rewriteProbes: flag(annotation.rewriteProbes, settings.rewriteAppHTTPProbe),
    mergeMetrics: flag('prometheus.istio.io/merge-metrics', settings.enablePrometheusMerge),
    statusPort: count('status.sidecar.istio.io/port', settings.statusPort, 65_535),
    userVolumes: named(annotations, 'sidecar.istio.io/userVolume', complain),
    userVolumeMounts: named(annotations, 'sidecar.istio.io/userVolumeMount', complain),
  };
}

function flagOf(annotations: Annotations, name: string, complain: Complain): boolean | undefined {
  const text = annotations[name]?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  complain(name, `'${text}' is neither true nor false`);
  return undefined;
}

function settingsOf(annotations: Annotations, { meshConfig }: InjectionSettings, complain: Complain): ProxySettings {
  const text = annotations[annotation.proxyConfig];
  if (text === undefined) return meshConfig.defaultConfig;
  const { settings = {}, diagnostics } = readProxyConfigAnnotation(text, annotation.proxyConfig);
  for (const { severity, message } of diagnostics) if (severity === 'error') complain(annotation.proxyConfig, message);
  const { defaultConfig } = meshConfig;
  return {
    ...defaultConfig,
    ...settings,
    proxyMetadata: { ...defaultConfig.proxyMetadata, ...settings.proxyMetadata },
  };
}

const quantity = /^\d+(\.\d+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|e\d+)?$/;

/** As in Istio: who sets one of them sets all of them. */
function resourcesOf(annotations: Annotations, settings: InjectionSettings, complain: Complain): Resources {
  const said = (name: string): string | undefined => {
    const full = `sidecar.istio.io/${name}`;
    const text = annotations[full];
    if (text === undefined || quantity.test(text)) return text;
    complain(full, `'${text}' is not a quantity, as 100m and 128Mi are`);
    return undefined;
  };
  const pick = (cpu: string | undefined, memory: string | undefined) =>
    cpu === undefined && memory === undefined
      ? undefined
      : { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) };
  const requests = pick(said('proxyCPU'), said('proxyMemory'));
  const limits = pick(said('proxyCPULimit'), said('proxyMemoryLimit'));
  if (!requests && !limits) return settings.resources;
  return { ...(requests && { requests }), ...(limits && { limits }) };
}

/** A list of objects with names, or a map from name to object, as Istio takes both. */
function named(annotations: Annotations, name: string, complain: Complain): readonly Named[] {
  const text = annotations[name];
  if (text === undefined) return [];
  const wrong = (): readonly Named[] => {
    complain(name, 'should be JSON: a list of objects with a name each, or a map of objects by name');
    return [];
  };
  try {
    const read = JSON.parse(text) as unknown;
    const list = Array.isArray(read)
      ? (read as unknown[])
      : Object.entries(read as object).map(([key, value]) => ({ name: key, ...(value as object) }));
    return list.every((one) => typeof (one as Named | null)?.name === 'string') ? (list as Named[]) : wrong();
  } catch {
    // What is no JSON is the user's to mend.
    return wrong();
  }
}
