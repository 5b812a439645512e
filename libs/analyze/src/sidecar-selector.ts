import { type ConfigObject, fieldsOf, labelsOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { isAmbientNamespace, isAmbientPod } from './lookup/in-mesh.js';
import { fullName, namesOf } from './lookup/names.js';
import { type Selecting, selectWorkloads } from './lookup/workload-selection.js';

const path = 'spec.workloadSelector';

function checkSelecting(catalogue: Catalogue, all: readonly Selecting[], report: Report): void {
  const told = new Set<string>();
  for (const [workload, sidecars] of selectWorkloads(catalogue, all, path, report)) {
    if (isAmbientPod(workload)) {
      const reason = 'the selected workload is in ambient mode and has no sidecar';
      for (const object of sidecars) report('IneffectivePolicy', object, { reason }, path);
      continue;
    }
    if (sidecars.length < 2) continue;
    const { namespace, name: workloadPod } = workload;
    const about = { conflictingSidecars: namesOf(sidecars), namespace, workloadPod };
    for (const object of sidecars) {
      // One pod shows the conflict; a thousand of the same Deployment show nothing more.
      const conflict = `${fullName(object)} ${about.conflictingSidecars.join()}`;
      if (!told.has(conflict)) report('ConflictingSidecarWorkloadSelectors', object, about, path);
      told.add(conflict);
    }
  }
}

function checkNamespace(catalogue: Catalogue, namespace: string, all: readonly ConfigObject[], report: Report): void {
  if (isAmbientNamespace(catalogue, namespace)) {
    const reason = 'the namespace is in ambient mode and its pods have no sidecars';
    for (const object of all) report('IneffectivePolicy', object, { reason }, 'metadata.namespace');
  } else if (all.length > 1) {
    const about = { conflictingSidecars: namesOf(all), namespace };
    for (const object of all) report('MultipleSidecarsWithoutWorkloadSelectors', object, about, 'spec');
  }
}

export const sidecarSelector: Analyzer = {
  name: 'sidecar.SelectorAnalyzer',
  description: 'Sidecars that select no workload, or the same as others.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const all = catalogue.all(kinds.sidecar).map((object) => ({
      object,
      selector: labelsOf(fieldsOf(fieldsOf(object.spec)['workloadSelector'])['labels']),
    }));
    const isSelecting = ({ selector }: Selecting) => Object.keys(selector).length > 0;
    checkSelecting(catalogue, all.filter(isSelecting), report);
    const others = all.filter((one) => !isSelecting(one)).map(({ object }) => object);
    for (const [namespace, sidecars] of groupBy(others, ({ metadata }) => metadata.namespace))
      checkNamespace(catalogue, namespace, sidecars, report);
  },
};
