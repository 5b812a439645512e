import { type ConfigObject, objectKey } from '@seine/k8s';
import type { PlannedWorkload } from '../plan/planned-workload.js';

/**
 * The labels of a pod with a sidecar, as Istio's injector writes them: mutual TLS is spoken there. A label that says
 * otherwise stays.
 */
export function withMutualTls(labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { 'security.istio.io/tlsMode': 'istio', ...labels };
}

/** Labels the pods that get a sidecar here, as they come out of files. */
export function labelMutualTls(workloads: readonly PlannedWorkload[]): (object: ConfigObject) => ConfigObject {
  const sidecars = new Set(workloads.filter(({ type }) => type === 'sidecar').map(({ pod }) => objectKey(pod)));
  return (object) => {
    if (object.kind !== 'Pod' || !sidecars.has(objectKey(object))) return object;
    const { metadata } = object;
    return { ...object, metadata: { ...metadata, labels: withMutualTls(metadata.labels) } };
  };
}
