import { fieldsOf, itemsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

export const telemetryLightstep: Analyzer = {
  name: 'telemetry.LightstepAnalyzer',
  description: 'Telemetries that send traces to a Lightstep provider, which is deprecated.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const { lightstepProviders } = catalogue.settings;
    if (lightstepProviders.size === 0) return;
    for (const object of catalogue.all(kinds.telemetry))
      itemsOf(fieldsOf(object.spec)['tracing']).forEach((tracing, i) =>
        itemsOf(tracing['providers']).forEach((provider, j) => {
          const name = textOf(provider['name']);
          if (!lightstepProviders.has(name)) return;
          const detail = `the Lightstep provider ${name} is deprecated, please migrate to an OpenTelemetry provider`;
          report('Deprecated', object, { detail }, `spec.tracing[${i}].providers[${j}].name`);
        }),
      );
  },
};
