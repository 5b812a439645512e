import type { ConfigObject, Labels } from '@seine/k8s';
import type { Catalogue, Workload } from '../frame/catalogue.js';
import type { Report } from '../frame/finding.js';
import { hasLabels, selectorText } from './selectors.js';

export interface Selecting {
  readonly object: ConfigObject;
  readonly selector: Labels;
}

/** Each workload with the objects of its namespace that select it; what selects nothing is told as IST0101. */
export function selectWorkloads(
  catalogue: Catalogue,
  all: readonly Selecting[],
  path: string,
  report: Report,
): ReadonlyMap<Workload, readonly ConfigObject[]> {
  const selected = new Map<Workload, ConfigObject[]>();
  for (const { object, selector } of all) {
    const workloads = catalogue
      .workloadsIn(object.metadata.namespace)
      .filter(({ labels }) => hasLabels(selector, labels));
    for (const workload of workloads) {
      const list = selected.get(workload);
      if (list) list.push(object);
      else selected.set(workload, [object]);
    }
    if (workloads.length > 0) continue;
    const remedy = 'a workload of the namespace must carry these labels';
    report('ReferencedResourceNotFound', object, { reftype: 'selector', refval: selectorText(selector), remedy }, path);
  }
  return selected;
}
