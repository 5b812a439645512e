import { type ConfigObject, fieldsOf, labelsOf } from '@seine/k8s';
import type { Catalogue, Workload } from '../frame/catalogue.js';
import type { Report } from '../frame/finding.js';
import { hasLabels, selectorText } from './selectors.js';

/** The workloads that a Gateway selects, in whatever namespace; one without selector selects all. */
export function gatewayWorkloads(catalogue: Catalogue, gateway: ConfigObject): readonly Workload[] {
  const selector = labelsOf(fieldsOf(gateway.spec)['selector']);
  return catalogue.workloads.filter(({ labels }) => hasLabels(selector, labels));
}

/** Tells that a Gateway selects nothing; several analyzers come upon it. */
export function reportNoGatewayPods(gateway: ConfigObject, report: Report): void {
  const refval = selectorText(labelsOf(fieldsOf(gateway.spec)['selector']));
  const remedy = 'a gateway workload must carry these labels';
  report('ReferencedResourceNotFound', gateway, { reftype: 'selector', refval, remedy }, 'spec.selector');
}
