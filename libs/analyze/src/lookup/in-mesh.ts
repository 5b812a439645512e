import { type ConfigObject, type Fields, itemsOf, type Labels, labelsOf, textOf } from '@seine/k8s';
import type { Catalogue, Workload } from '../frame/catalogue.js';
import { kinds } from '../frame/kinds.js';

export const proxyContainer = 'istio-proxy';
const injectLabel = 'sidecar.istio.io/inject';

/** All containers of a pod, those that run before the others included (native sidecars are among them). */
export function containersOf(spec: Fields): readonly Fields[] {
  return [...itemsOf(spec['containers']), ...itemsOf(spec['initContainers'])];
}

function hasProxy(containers: readonly Fields[]): boolean {
  return textOf(containers.find((container) => container['name'] === proxyContainer)?.['image']) !== '';
}

/** The labels of a namespace; undefined when there is no such object. */
export function namespaceLabels(catalogue: Catalogue, namespace: string): Labels | undefined {
  const found = catalogue.find(kinds.namespace, '', namespace);
  return found && labelsOf(found.metadata.labels);
}

/** Whether a workload has a sidecar, or gets one. */
export function hasSidecar(catalogue: Catalogue, workload: Workload): boolean {
  const { spec, labels, annotations, namespace } = workload;
  if (hasProxy(containersOf(spec))) return true;
  const stated = labels[injectLabel] ?? annotations[injectLabel];
  if (stated !== undefined) return stated === 'true';
  return namespaceLabels(catalogue, namespace)?.['istio-injection'] === 'enabled';
}

/** Whether the traffic of a pod is taken by the node's proxy. */
export function isAmbientPod({ annotations }: Workload): boolean {
  return annotations['ambient.istio.io/redirection'] === 'enabled';
}

/** Whether the pods of a namespace join the mesh without sidecars. */
export function isAmbientNamespace(catalogue: Catalogue, namespace: string): boolean {
  const labels = namespaceLabels(catalogue, namespace) ?? {};
  if (labels['istio-injection'] === 'enabled' || labels['istio.io/rev']) return false;
  return labels['istio.io/dataplane-mode'] === 'ambient';
}

/** Whether an object belongs to an installation of Istio itself. */
export function isOfControlPlane({ metadata }: ConfigObject): boolean {
  const labels = labelsOf(metadata.labels);
  return labels['istio'] !== undefined || labels['release'] === 'istio';
}
