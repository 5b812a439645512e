import { fieldsOf, itemsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { groupBy } from './lookup/group-by.js';
import { namesOf } from './lookup/names.js';
import { policySelector } from './lookup/selectors.js';

export const telemetryDefaultSelector: Analyzer = {
  name: 'telemetry.DefaultSelectorAnalyzer',
  description: 'Several Telemetries for a whole namespace.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const forAll = catalogue.all(kinds.telemetry).filter((object) => {
      const { targetRef, targetRefs } = fieldsOf(object.spec);
      return policySelector(object) === undefined && targetRef === undefined && itemsOf(targetRefs).length === 0;
    });
    for (const [namespace, all] of groupBy(forAll, ({ metadata }) => metadata.namespace)) {
      if (all.length < 2) continue;
      const about = { conflictingTelemetries: namesOf(all), namespace };
      for (const object of all) report('MultipleTelemetriesWithoutWorkloadSelectors', object, about, 'spec');
    }
  },
};
