import { fieldsOf, itemsOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

export const telemetryProvider: Analyzer = {
  name: 'telemetry.ProviderAnalyzer',
  description: 'Telemetries that ask for access logs of no provider, where the mesh has no default one.',
  scope: 'mesh',
  analyze(catalogue, report) {
    if (catalogue.settings.hasDefaultAccessLogProvider) return;
    for (const object of catalogue.all(kinds.telemetry))
      itemsOf(fieldsOf(object.spec)['accessLogging']).forEach((logging, i) => {
        if (logging['disabled'] === true || itemsOf(logging['providers']).length > 0) return;
        const { name, namespace } = object.metadata;
        report('InvalidTelemetryProvider', object, { name, namespace }, `spec.accessLogging[${i}]`);
      });
  },
};
