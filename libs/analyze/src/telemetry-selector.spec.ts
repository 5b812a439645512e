import { telemetrySelector } from './telemetry-selector.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const telemetry = (name: string, matchLabels?: object) =>
  the(`Telemetry ${name}`, matchLabels ? { selector: { matchLabels } } : {});
const web = aPod('shop/web', { app: 'web', v: '1' });
const at = (name: string) => `Telemetry/shop/${name} spec.selector`;

checkAnalyzer(telemetrySelector, [
  ['selects a pod', [telemetry('shop/a', { app: 'web' }), web], []],
  ['selects nothing', [telemetry('shop/a', { app: 'x' }), web], [`IST0101 ${at('a')}`]],
  [
    'selects in another namespace',
    [telemetry('other/a', { app: 'web' }), web],
    ['IST0101 Telemetry/other/a spec.selector'],
  ],
  [
    'two select one pod',
    [telemetry('shop/a', { app: 'web' }), telemetry('shop/b', { v: '1' }), web],
    [`IST0159 ${at('a')}`, `IST0159 ${at('b')}`],
  ],
  [
    'two select many pods, told once',
    [
      telemetry('shop/a', { app: 'web' }),
      telemetry('shop/b', { v: '1' }),
      web,
      aPod('shop/web2', { app: 'web', v: '1' }),
    ],
    [`IST0159 ${at('a')}`, `IST0159 ${at('b')}`],
  ],
  ['one without selector is no concern of this', [telemetry('shop/a'), telemetry('shop/b'), web], []],
  ['an empty selector neither', [telemetry('shop/a', {}), telemetry('shop/b', {}), web], []],
]);
