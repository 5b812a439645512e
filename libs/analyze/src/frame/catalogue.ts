import { type ConfigObject, type Fields, fieldsOf, type Labels, labelsOf } from '@seine/k8s';
import { groupBy } from '../lookup/group-by.js';
import { type MeshSettings, readMeshSettings } from '../lookup/mesh-settings.js';
import { assumedIngressGateway } from './assumed.js';
import type { AnalyzeInput } from './finding.js';
import { type ObjectsByKind, sortByKind } from './sort-by-kind.js';
import { type KindName, kindNameOf, kinds, podOwners } from './kinds.js';

/** Something that runs, or will once its owner has made it. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** The spec of the pod; empty for a workload outside Kubernetes. */
  readonly spec: Fields;
  readonly object: ConfigObject;
}

function podOf(object: ConfigObject): Workload {
  const { name, namespace } = object.metadata;
  return {
    name,
    namespace,
    labels: labelsOf(object.metadata.labels),
    annotations: labelsOf(object.metadata.annotations),
    spec: fieldsOf(object.spec),
    object,
  };
}

function templateOf(object: ConfigObject, path: readonly string[]): Workload {
  const template = path.reduce<Fields>((fields, step) => fieldsOf(fields[step]), object);
  const metadata = fieldsOf(template['metadata']);
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    labels: labelsOf(metadata['labels']),
    annotations: labelsOf(metadata['annotations']),
    spec: fieldsOf(template['spec']),
    object,
  };
}

function entryOf(object: ConfigObject): Workload {
  const spec = fieldsOf(object.spec);
  const labels = { ...labelsOf(object.metadata.labels), ...labelsOf(spec['labels']) };
  return { ...podOf(object), labels, spec: {} };
}

/** Whether labels hold all that are wanted. It is asked for each pair of a selector and a workload, so it makes no lists. */
export function hasLabels(wanted: Labels, labels: Labels): boolean {
  for (const key in wanted) if (labels[key] !== wanted[key]) return false;
  return true;
}

/** The objects under analysis, with what several analyzers look up in them. Everything is worked out once, when asked. */
export class Catalogue {
  readonly #byKind: ObjectsByKind;
  readonly #byName = new Map<KindName, ReadonlyMap<string, ConfigObject>>();
  readonly clusterDomain: string;
  readonly now: number | undefined;
  readonly settings: MeshSettings;
  readonly remoteClusters: ReadonlyMap<string, readonly ConfigObject[]>;
  #workloads: readonly Workload[] | undefined;
  #workloadsByNamespace: ReadonlyMap<string, readonly Workload[]> | undefined;
  readonly #derived = new Map<(catalogue: Catalogue) => unknown, unknown>();

  constructor(input: AnalyzeInput) {
    const { options } = input;
    this.clusterDomain = options?.clusterDomain ?? 'cluster.local';
    this.now = options?.now;
    this.remoteClusters = input.remoteClusters ?? new Map();
    const byKind = sortByKind(input.objects);
    this.settings = readMeshSettings(input, byKind.get(kinds.configMap) ?? []);
    this.#byKind = byKind;
    if (options?.assumeIngressGateway === false) return;
    for (const object of assumedIngressGateway(this.settings)) {
      const kind = kindNameOf(object);
      // An installation that is among the objects says itself what it has.
      if (!this.find(kind, object.metadata.namespace, object.metadata.name))
        byKind.set(kind, [...(byKind.get(kind) ?? []), object]);
      this.#byName.delete(kind);
    }
  }

  all(kind: KindName): readonly ConfigObject[] {
    return this.#byKind.get(kind) ?? [];
  }

  find(kind: KindName, namespace: string, name: string): ConfigObject | undefined {
    let names = this.#byName.get(kind);
    if (!names) {
      const keyed = this.all(kind).map(
        (object) => [`${object.metadata.namespace}/${object.metadata.name}`, object] as const,
      );
      this.#byName.set(kind, (names = new Map(keyed)));
    }
    return names.get(`${namespace}/${name}`);
  }

  /** What a function finds in the catalogue, worked out once for all who ask. */
  derive<T>(work: (catalogue: Catalogue) => T): T {
    if (!this.#derived.has(work)) this.#derived.set(work, work(this));
    return this.#derived.get(work) as T;
  }

  /** Pods as they run. */
  get pods(): readonly Workload[] {
    return this.derive(podsOf);
  }

  /**
   * Pods, workloads outside Kubernetes, and what a Deployment (StatefulSet, …) will run of which no pod is there yet: a
   * file that holds a Deployment says as well as its pods which labels there will be.
   */
  get workloads(): readonly Workload[] {
    return (this.#workloads ??= [
      ...this.pods,
      ...this.all(kinds.workloadEntry).map(entryOf),
      ...[...podOwners].flatMap(([kind, path]) =>
        this.all(kind)
          .map((object) => templateOf(object, path))
          .filter((template) => !this.#runs(template)),
      ),
    ]);
  }

  workloadsIn(namespace: string): readonly Workload[] {
    this.#workloadsByNamespace ??= groupBy(this.workloads, (workload) => workload.namespace);
    return this.#workloadsByNamespace.get(namespace) ?? [];
  }

  #runs({ labels, namespace }: Workload): boolean {
    const pods = this.derive(podsByNamespace).get(namespace) ?? [];
    return Object.keys(labels).length > 0 && pods.some((pod) => hasLabels(labels, pod.labels));
  }
}

const podsOf = (catalogue: Catalogue): readonly Workload[] => catalogue.all(kinds.pod).map(podOf);
const podsByNamespace = (catalogue: Catalogue): ReadonlyMap<string, readonly Workload[]> =>
  groupBy(catalogue.pods, (pod) => pod.namespace);
