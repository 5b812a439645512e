import { type ConfigObject, type Fields, fieldsOf, type Labels, labelsOf, textOf } from '@seine/k8s';
import { groupBy } from '../lookup/group-by.js';
import { type MeshSettings, readMeshSettings } from '../lookup/mesh-settings.js';
import { ignoredNamespaces, withIngressGateway } from './assumed.js';
import type { AnalyzeInput } from './finding.js';
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

export function hasLabels(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** The objects under analysis, with what several analyzers look up in them. Everything is worked out once, when asked. */
export class Catalogue {
  readonly #byKind = new Map<KindName, ConfigObject[]>();
  readonly #byName = new Map<string, ConfigObject>();
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
    this.settings = readMeshSettings(input);
    this.remoteClusters = input.remoteClusters ?? new Map();
    const seen = input.objects.filter((object) => !ignoredNamespaces.has(namespaceOf(object)));
    const all = options?.assumeIngressGateway === false ? seen : withIngressGateway(seen, this.settings);
    for (const object of all) {
      const kind = kindNameOf(object);
      const list = this.#byKind.get(kind);
      if (list) list.push(object);
      else this.#byKind.set(kind, [object]);
      this.#byName.set(`${kind}/${object.metadata.namespace}/${object.metadata.name}`, object);
    }
  }

  all(kind: KindName): readonly ConfigObject[] {
    return this.#byKind.get(kind) ?? [];
  }

  find(kind: KindName, namespace: string, name: string): ConfigObject | undefined {
    return this.#byName.get(`${kind}/${namespace}/${name}`);
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

function namespaceOf(object: ConfigObject): string {
  return kindNameOf(object) === kinds.namespace ? object.metadata.name : textOf(object.metadata.namespace);
}
