import { type MetricsTarget, scrapeTarget } from '@seine/app-agent';
import { workloadLabels } from '@seine/bootstrap';
import type { PlannedWorkload } from '../plan/planned-workload.js';
import { nodeOf } from './envoy-bootstrap.js';

/** Where the metrics of a workload are to be had. */
export function metricsTarget(w: PlannedWorkload): MetricsTarget {
  const { name, namespace, adminPort } = w;
  const envoy = `http://127.0.0.1:${adminPort}/stats/prometheus`;
  return { name, namespace, labels: workloadLabels(nodeOf(w)), envoy, application: applicationMetrics(w) };
}

/**
 * What the pod's annotations name, past its Envoy. An application in a network namespace is reached through its Envoy only,
 * which would count each scrape as a request of the mesh: its metrics are not merged.
 */
function applicationMetrics({ pod, interceptionMode, appPorts }: PlannedWorkload): string | undefined {
  const target = scrapeTarget(pod.metadata.annotations);
  if (!target || interceptionMode !== 'NONE') return undefined;
  // A port that its Envoy does not serve is the application's own.
  return `http://127.0.0.1:${appPorts.get(target.port) ?? target.port}${target.path}`;
}
