import { telemetryProvider } from './telemetry-provider.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const telemetry = (accessLogging: object) => [the('Telemetry shop/a', { accessLogging: [accessLogging] })];

checkAnalyzer(telemetryProvider, [
  ['no provider', telemetry({}), ['IST0157 Telemetry/shop/a spec.accessLogging[0]']],
  ['a provider', telemetry({ providers: [{ name: 'envoy' }] }), []],
  ['switched off', telemetry({ disabled: true }), []],
  ['switched on', telemetry({ disabled: false }), ['IST0157 Telemetry/shop/a spec.accessLogging[0]']],
  ['a default provider', telemetry({}), [], { meshConfig: { defaultProviders: { accessLogging: ['envoy'] } } }],
  [
    'a default provider of something else',
    telemetry({}),
    ['IST0157 Telemetry/shop/a spec.accessLogging[0]'],
    { meshConfig: { defaultProviders: { tracing: ['zipkin'] } } },
  ],
]);
