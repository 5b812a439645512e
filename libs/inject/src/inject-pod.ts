import { compareText } from '@seine/k8s';
import { canonicalName, canonicalRevision } from '@seine/model';
import { assemble, isProxy, proxyVolumes, setApart } from './assemble-pod.js';
import { makeCaptureContainer } from './capture-container.js';
import type { InjectionSettings } from './injection-settings.js';
import { overridden, type Overrides } from './overrides.js';
import {
  annotation,
  annotationsOf,
  captureContainer,
  type Container,
  type EnvVar,
  labelsOf,
  type Pod,
  proxyContainer,
} from './pod.js';
import type { ProxyPlan } from './proxy-bootstrap.js';
import { makeProxyContainer } from './proxy-container.js';
import { type ReadWishes, readWishes } from './read-wishes.js';
import { type AppProbe, rewriteProbes } from './rewrite-probes.js';
import { type InjectionStatus, note, scrapeAnnotations, stripInjection } from './strip-injection.js';
import { type AnnotationProblem, readTrafficCapture, type TrafficCapture } from './traffic-capture.js';
import { workloadNameOf } from './workload-name.js';

/** The pod with its proxy, or what is wrong with what it says. */
export type Injected = { readonly pod: Pod } | { readonly problems: readonly AnnotationProblem[] };

export interface InjectionRequest {
  readonly pod: Pod;
  readonly namespace: string;
  /** The workload that the pod is of, where its owner does not say. */
  readonly workloadName?: string;
}

/** What a pod asks for, read and found good. */
interface Plan {
  readonly request: InjectionRequest;
  readonly template: Template;
  readonly wishes: ReadWishes;
  readonly capture: TrafficCapture;
  /** Whether the proxy serves the application's metrics with its own. */
  readonly mergesMetrics: boolean;
}

const templates = ['sidecar', 'gateway'] as const;
type Template = (typeof templates)[number];

/**
 * Puts the proxy into a pod: Envoy alone, its certificate from the node's agent. The same pod gives the same answer in
 * the webhook and in `seinectl inject`, and a pod that is injected already comes out as it is.
 */
export function injectPod(request: InjectionRequest, settings: InjectionSettings): Injected {
  const pod = stripInjection(request.pod);
  const annotations = annotationsOf(pod);
  const problems: AnnotationProblem[] = [];
  const template = templateOf(annotations, problems);
  // How large a gateway is depends on what goes through it: its Deployment says so.
  const wishes = readWishes(annotations, template === 'gateway' ? { ...settings, resources: {} } : settings, problems);
  const { capture, problems: wrong } = readTrafficCapture(annotations, settings.capture);
  if (problems.length + wrong.length > 0) return { problems: [...problems, ...wrong] };
  const scrape = annotations['prometheus.io/scrape'] ?? annotations['prometheus.io.scrape'];
  const mergesMetrics = wishes.mergeMetrics && scrape !== 'false' && wishes.statusPort > 0;
  return { pod: build(pod, { request, template, wishes, capture, mergesMetrics }, settings) };
}

function build(pod: Pod, plan: Plan, settings: InjectionSettings): Pod {
  const { request, template, wishes, capture, mergesMetrics } = plan;
  const isSidecar = template === 'sidecar';
  const { spec, said } = setApart(pod, [proxyContainer, captureContainer]);
  const led = leadProbes(spec.containers, spec.initContainers, isSidecar ? wishes : undefined);
  const isNative = isSidecar && wishes.isNative;
  const workloadName = request.workloadName ?? workloadNameOf(pod);
  const labels = meshLabels(pod, template, workloadName);
  const proxyPlan: ProxyPlan = {
    type: isSidecar ? 'sidecar' : 'router',
    namespace: request.namespace,
    serviceAccount: spec.serviceAccountName ?? 'default',
    labels,
    workloadName,
    interceptionMode: isSidecar ? capture.mode : 'NONE',
    appProbes: led.appProbes,
    proxySettings: wishes.proxySettings,
  };
  const notes = notesOf(led.appProbes, mergesMetrics ? annotationsOf(pod) : undefined);
  const own = { ...settings, statusPort: wishes.statusPort };
  const saidOf = (name: string): Container | undefined =>
    [...(said.containers ?? []), ...(said.initContainers ?? [])].find((one) => one.name === name);
  const proxy = makeProxyContainer(proxyPlan, { ...wishes, isNative, notes }, own);
  const captures = isSidecar && capture.mode === 'REDIRECT' && !settings.cni;
  const made = captures ? makeCaptureContainer({ ...capture, dns: settings.dnsCapture }, settings) : undefined;
  const { spec: assembled, status } = assemble(
    { ...spec, containers: led.containers, ...(spec.initContainers && { initContainers: led.initContainers }) },
    {
      proxy: overridden(proxy, saidOf(proxyContainer)),
      capture: made && overridden(made, saidOf(captureContainer)),
      isNative,
      isFirst: wishes.holdApplication,
      volumes: [...proxyVolumes(settings.csiDriver), ...wishes.userVolumes],
      imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
    },
  );
  const marks = { ...status, revision: settings.revision };
  return {
    ...pod,
    metadata: { ...pod.metadata, labels, annotations: marked(pod, plan, said, marks) },
    spec: assembled,
  };
}

interface Led {
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly appProbes: readonly AppProbe[];
}

/** Leads kubelet's probes over the proxy, where that is wanted. */
function leadProbes(
  containers: readonly Container[],
  initContainers: readonly Container[] = [],
  wishes: ReadWishes | undefined,
): Led {
  if (!wishes?.rewriteProbes || wishes.statusPort === 0) return { containers, initContainers, appProbes: [] };
  // Kubelet probes init containers only that go on.
  const goingOn = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const { containers: led, appProbes } = rewriteProbes([...containers, ...goingOn], wishes.statusPort);
  const byName = new Map(led.map((one) => [one.name, one]));
  const now = (one: Container): Container => byName.get(one.name) ?? one;
  return { containers: containers.map(now), initContainers: initContainers.map(now), appProbes };
}

function templateOf(annotations: Readonly<Record<string, string>>, problems: AnnotationProblem[]): Template {
  const said = new Set((annotations[annotation.templates] ?? 'sidecar').split(',').map((name) => name.trim()));
  const known = templates.filter((name) => said.delete(name));
  for (const name of said)
    problems.push({
      annotation: annotation.templates,
      message: `'${name}' is not a template: ${templates.join(' and ')} are`,
    });
  if (known.length > 1)
    problems.push({ annotation: annotation.templates, message: 'a pod is a sidecar or a gateway, not both' });
  return known[0] ?? 'sidecar';
}

/** What injection changes of what the pod said, kept with the proxy. */
function notesOf(
  appProbes: readonly AppProbe[],
  annotations: Readonly<Record<string, string>> | undefined,
): readonly EnvVar[] {
  const escaped = (value: unknown): string => JSON.stringify(value).replaceAll('$', '$$$$');
  const probes = Object.fromEntries(appProbes.map((probe) => [probe.path, probe]));
  const metrics =
    annotations &&
    Object.fromEntries(scrapeAnnotations.flatMap((name) => (name in annotations ? [[name, annotations[name]]] : [])));
  return [
    ...(appProbes.length > 0 ? [{ name: note.probes, value: escaped(probes) }] : []),
    ...(metrics ? [{ name: note.metrics, value: escaped(metrics) }] : []),
  ];
}

/** The labels by which a pod of the mesh is known; what the pod says of them itself counts. */
function meshLabels(pod: Pod, template: Template, workloadName: string): Readonly<Record<string, string>> {
  const labels = labelsOf(pod);
  return sorted({
    ...(template === 'sidecar' && { 'security.istio.io/tlsMode': 'istio' }),
    'service.istio.io/canonical-name': canonicalName(labels, workloadName),
    'service.istio.io/canonical-revision': canonicalRevision(labels),
    ...labels,
  });
}

function marked(
  pod: Pod,
  { mergesMetrics, wishes }: Plan,
  said: Overrides,
  status: InjectionStatus,
): Readonly<Record<string, string>> {
  const main = pod.spec.containers.find((one) => !isProxy(one))?.name;
  return sorted({
    ...(main !== undefined && {
      [annotation.defaultContainer]: main,
      [annotation.defaultLogsContainer]: main,
    }),
    ...annotationsOf(pod),
    [annotation.revision]: status.revision,
    ...(mergesMetrics && {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(wishes.statusPort),
      'prometheus.io/path': '/stats/prometheus',
    }),
    ...(Object.keys(said).length > 0 && { [annotation.overrides]: JSON.stringify(said) }),
    [annotation.status]: JSON.stringify(status),
  });
}

/** In one order, so that what is made of it does not change when the pod comes again. */
function sorted(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).sort(([a], [b]) => compareText(a, b)));
}
