import { telemetryDefaultSelector } from './telemetry-default-selector.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

checkAnalyzer(telemetryDefaultSelector, [
  [
    'two for a namespace',
    [the('Telemetry shop/a'), the('Telemetry shop/b')],
    ['IST0160 Telemetry/shop/a spec', 'IST0160 Telemetry/shop/b spec'],
  ],
  ['one for each namespace', [the('Telemetry shop/a'), the('Telemetry other/a')], []],
  [
    'one with a selector',
    [the('Telemetry shop/a'), the('Telemetry shop/b', { selector: { matchLabels: { a: 'b' } } })],
    [],
  ],
  [
    'one that is attached by reference',
    [the('Telemetry shop/a'), the('Telemetry shop/b', { targetRefs: [{ kind: 'Gateway', name: 'g' }] })],
    [],
  ],
]);
