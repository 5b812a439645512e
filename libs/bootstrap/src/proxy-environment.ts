import { canonicalName, canonicalRevision } from '@seine/model';
import type { BootstrapNode } from './bootstrap-options.js';

const unknown = 'unknown';

/**
 * The environment of an Envoy that says whose it is: what metrics and traces call the workload. Listeners refer to it,
 * so that the same listener serves many workloads.
 */
export function proxyEnvironment(node: BootstrapNode): Readonly<Record<string, string>> {
  const { labels = {}, namespace } = node;
  const workload = node.workloadName ?? node.name;
  return {
    SEINE_WORKLOAD: workload,
    SEINE_WORKLOAD_NAMESPACE: namespace,
    SEINE_CANONICAL_SERVICE: canonicalName(labels, workload),
    SEINE_CANONICAL_REVISION: canonicalRevision(labels),
    SEINE_APP: labels['app'] ?? unknown,
    SEINE_VERSION: labels['version'] ?? unknown,
    SEINE_CLUSTER: node.clusterId ?? unknown,
    SEINE_MESH_ID: node.meshId ?? unknown,
  };
}
