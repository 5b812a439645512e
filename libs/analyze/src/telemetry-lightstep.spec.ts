import { telemetryLightstep } from './telemetry-lightstep.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const telemetry = (name: string) => [the('Telemetry shop/a', { tracing: [{}, { providers: [{ name }] }] })];
const providers = {
  meshConfig: {
    extensionProviders: [
      { name: 'old', lightstep: {} },
      { name: 'new', opentelemetry: {} },
    ],
  },
};

checkAnalyzer(telemetryLightstep, [
  [
    'a provider of Lightstep',
    telemetry('old'),
    ['IST0002 Telemetry/shop/a spec.tracing[1].providers[0].name'],
    providers,
  ],
  ['another provider', telemetry('new'), [], providers],
  ['no providers', telemetry('old'), []],
  [
    'providers of the installation',
    [
      ...telemetry('old'),
      the('ConfigMap istio-system/istio', undefined, {
        data: { mesh: 'extensionProviders: [{name: old, lightstep: {}}]' },
      }),
    ],
    ['IST0002 Telemetry/shop/a spec.tracing[1].providers[0].name'],
  ],
]);
