import type { Overrides } from './overrides.js';
import { annotation, annotationsOf, type Container, filled, type Named, type Pod, proxyContainer } from './pod.js';
import { type AppProbe, restoreProbes } from './rewrite-probes.js';

/** What injection has put into a pod (annotation `sidecar.istio.io/status`). */
export interface InjectionStatus {
  readonly initContainers: readonly string[] | null;
  readonly containers: readonly string[] | null;
  readonly volumes: readonly string[] | null;
  readonly imagePullSecrets: readonly string[] | null;
  readonly revision: string;
}

/** Variables of the proxy's container in which injection keeps what it has changed. */
export const note = { probes: 'ISTIO_KUBE_APP_PROBERS', metrics: 'ISTIO_PROMETHEUS_ANNOTATIONS' } as const;

/** The annotations by which Prometheus finds an application's metrics. */
export const scrapeAnnotations = ['prometheus.io/scrape', 'prometheus.io/port', 'prometheus.io/path'] as const;

/** Undefined where the pod has not been injected, or the annotation is broken. */
export function injectionStatus(pod: Pod): InjectionStatus | undefined {
  return parsed(annotationsOf(pod)[annotation.status]) as InjectionStatus | undefined;
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Somebody else wrote it.
    return undefined;
  }
}

/**
 * The pod as it was before injection: so a pod that comes again (another webhook has changed it) is injected as if for
 * the first time, and nothing is in it twice.
 */
export function stripInjection(pod: Pod): Pod {
  const status = injectionStatus(pod);
  if (!status) return pod;
  const { containers, initContainers = [], volumes = [], imagePullSecrets = [], ...spec } = pod.spec;
  const proxy = [...containers, ...initContainers].find(({ name }) => name === proxyContainer);
  const noted = (name: string): unknown => parsed(proxy?.env?.find((variable) => variable.name === name)?.value);
  const probes = Object.values((noted(note.probes) ?? {}) as Record<string, AppProbe>);
  const said = (parsed(annotationsOf(pod)[annotation.overrides]) ?? {}) as Overrides;
  const left = <T extends Named | Container>(
    all: readonly T[],
    ours: readonly string[] | null,
    more: readonly T[] = [],
  ) => [...all.filter(({ name }) => !(ours ?? []).includes(name)), ...more];
  const restored = (all: readonly Container[]): readonly Container[] => restoreProbes(all, probes);
  return {
    ...pod,
    metadata: withoutMarks(pod, noted(note.metrics) as Readonly<Record<string, string>> | undefined),
    spec: {
      ...spec,
      containers: left(restored(containers), status.containers, said.containers),
      ...filled('initContainers', left(restored(initContainers), status.initContainers, said.initContainers)),
      ...filled('volumes', left(volumes, status.volumes)),
      ...filled('imagePullSecrets', left(imagePullSecrets, status.imagePullSecrets)),
    },
  };
}

function withoutMarks({ metadata }: Pod, metrics: Readonly<Record<string, string>> | undefined): Pod['metadata'] {
  const gone: readonly string[] = [annotation.status, annotation.overrides, ...(metrics ? scrapeAnnotations : [])];
  const left = Object.entries(metadata.annotations ?? {}).filter(([name]) => !gone.includes(name));
  return { ...metadata, annotations: { ...Object.fromEntries(left), ...metrics } };
}
