import type { MetricsTarget } from '@seine/app-agent';
import { workloadLabels } from '@seine/bootstrap';
import type { PlannedWorkload } from '../plan/planned-workload.js';
import { nodeOf } from './envoy-bootstrap.js';

/** Where the metrics of a workload are to be had. */
export function metricsTarget(w: PlannedWorkload): MetricsTarget {
  const { name, namespace, adminPort } = w;
  const envoy = `http://127.0.0.1:${adminPort}/stats/prometheus`;
  return { name, namespace, labels: workloadLabels(nodeOf(w)), envoy };
}
