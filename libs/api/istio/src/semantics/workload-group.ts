import type { WorkloadGroupSpec } from '../networking/workload-group.js';
import type { Scope } from '../validation/scope.js';
import { checkLabels } from './field-checks.js';
import { checkWorkload } from './workload-entry.js';

/** What Istio asks of a WorkloadGroup beyond its schema. */
export function checkWorkloadGroup({ metadata, template, probe }: WorkloadGroupSpec, scope: Scope): void {
  checkLabels(metadata?.labels, scope.at('metadata', 'labels'));
  checkWorkload(template, scope.at('template'));
  if (!probe) return;
  const { httpGet, tcpSocket, exec, grpc } = probe;
  if (!httpGet && !tcpSocket && !exec && !grpc)
    scope.at('probe').error('a probe must have one of httpGet, tcpSocket, exec and grpc');
  if (exec?.command.length === 0) scope.at('probe', 'exec', 'command').error('must name a program');
}
