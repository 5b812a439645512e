import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { fullName, namesOf } from './lookup/names.js';
import { policySelector } from './lookup/selectors.js';
import { selectWorkloads } from './lookup/workload-selection.js';

const path = 'spec.selector';

export const telemetrySelector: Analyzer = {
  name: 'telemetry.SelectorAnalyzer',
  description: 'Telemetries that select no workload, or the same as others.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const selecting = catalogue.all(kinds.telemetry).flatMap((object) => {
      const selector = policySelector(object) ?? {};
      return Object.keys(selector).length > 0 ? [{ object, selector }] : [];
    });
    const told = new Set<string>();
    for (const [workload, all] of selectWorkloads(catalogue, selecting, path, report)) {
      if (all.length < 2) continue;
      const about = {
        conflictingTelemetries: namesOf(all),
        namespace: workload.namespace,
        workloadPod: workload.name,
      };
      for (const object of all) {
        // One pod shows the conflict; a thousand of the same Deployment show nothing more.
        const conflict = `${fullName(object)} ${about.conflictingTelemetries.join()}`;
        if (!told.has(conflict)) report('ConflictingTelemetryWorkloadSelectors', object, about, path);
        told.add(conflict);
      }
    }
  },
};
