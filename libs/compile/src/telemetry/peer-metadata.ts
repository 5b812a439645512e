import { isMixer } from './mixer-service.js';
import {
  canonicalName,
  canonicalRevision,
  type Endpoint,
  type MeshConfig,
  type MeshService,
  type WorkloadLabels,
} from '@seine/model';

/**
 * What a proxy is told of its peers so that it can count by them: metadata of clusters and endpoints, which log
 * operators read. Names of keys are short, as every endpoint has them.
 */
export const peerNamespace = 'seine';

/** Whether the mesh counts traffic, or tells mixer of it: without, clusters and endpoints need no labels. */
export function countsTraffic({ defaultProviders }: Partial<Pick<MeshConfig, 'defaultProviders'>>): boolean {
  return (defaultProviders?.metrics.length ?? 0) > 0 || (defaultProviders?.accessLogging ?? []).some(isMixer);
}

const unknown = 'unknown';

/** The workload at an endpoint, as the labels `destination_…` name it. */
export function endpointLabels({ workload, labels }: Endpoint): WorkloadLabels {
  return {
    workload: workload.name || unknown,
    namespace: workload.namespace || unknown,
    service: canonicalName(labels, workload.name) || unknown,
    revision: canonicalRevision(labels),
    app: labels['app'] ?? unknown,
    version: labels['version'] ?? unknown,
    cluster: labels['topology.istio.io/cluster'] ?? unknown,
  };
}

/** The service of a cluster, as the labels `destination_service…` name it. */
export function serviceLabels({ host, name, namespace }: Pick<MeshService, 'host' | 'name' | 'namespace'>) {
  return { host, name, namespace };
}
