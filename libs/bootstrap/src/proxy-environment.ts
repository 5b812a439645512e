import { canonicalName, canonicalRevision, formatPeer, type WorkloadLabels } from '@seine/model';
import type { BootstrapNode } from './bootstrap-options.js';

const unknown = 'unknown';

/** What metrics call the workload of a proxy. */
export function workloadLabels(
  node: Pick<BootstrapNode, 'name' | 'namespace' | 'workloadName' | 'labels' | 'clusterId'>,
): WorkloadLabels {
  const { labels = {}, namespace } = node;
  const workload = node.workloadName ?? node.name;
  return {
    workload,
    namespace,
    service: canonicalName(labels, workload),
    revision: canonicalRevision(labels),
    app: labels['app'] ?? unknown,
    version: labels['version'] ?? unknown,
    cluster: node.clusterId ?? unknown,
  };
}

/**
 * The environment of an Envoy that says whose it is: what metrics and traces call the workload. Listeners refer to it,
 * so that the same listener serves many workloads.
 */
export function proxyEnvironment(node: BootstrapNode): Readonly<Record<string, string>> {
  const own = workloadLabels(node);
  return {
    SEINE_WORKLOAD: own.workload,
    SEINE_WORKLOAD_NAMESPACE: own.namespace,
    SEINE_CANONICAL_SERVICE: own.service,
    SEINE_CANONICAL_REVISION: own.revision,
    SEINE_APP: own.app,
    SEINE_VERSION: own.version,
    SEINE_CLUSTER: own.cluster,
    SEINE_PEER: formatPeer(own),
    SEINE_MESH_ID: node.meshId ?? unknown,
  };
}
