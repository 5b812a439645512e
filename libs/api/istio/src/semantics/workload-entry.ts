import type { WorkloadTemplate } from '../networking/workload-entry.js';
import type { Scope } from '../validation/scope.js';
import { isAddress, checkLabels } from './field-checks.js';

/** What Istio asks of a WorkloadEntry, an endpoint of a ServiceEntry or the template of a WorkloadGroup beyond the schema. */
export function checkWorkload(spec: WorkloadTemplate, scope: Scope): void {
  const { address } = spec;
  if (address && !address.startsWith('unix://') && !isAddress(address))
    scope.at('address').error(`${JSON.stringify(address)} is neither an IP address nor a DNS name nor a unix socket`);
  checkLabels(spec.labels, scope.at('labels'));
}
