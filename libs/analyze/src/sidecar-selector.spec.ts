import { sidecarSelector } from './sidecar-selector.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const sidecar = (name: string, labels?: object) =>
  the(`Sidecar ${name}`, labels ? { workloadSelector: { labels } } : {});
const web = aPod('shop/web', { app: 'web', v: '1' });
const at = (name: string) => `Sidecar/shop/${name} spec.workloadSelector`;
const redirected = { annotations: { 'ambient.istio.io/redirection': 'enabled' } };
const ambient = (more = {}) => the('Namespace shop', {}, { labels: { 'istio.io/dataplane-mode': 'ambient', ...more } });

checkAnalyzer(sidecarSelector, [
  ['selects a pod', [sidecar('shop/a', { app: 'web' }), web], []],
  ['selects nothing', [sidecar('shop/a', { app: 'x' }), web], [`IST0101 ${at('a')}`]],
  [
    'selects in another namespace',
    [sidecar('other/a', { app: 'web' }), web],
    ['IST0101 Sidecar/other/a spec.workloadSelector'],
  ],
  [
    'two select one pod',
    [sidecar('shop/a', { app: 'web' }), sidecar('shop/b', { v: '1' }), web],
    [`IST0110 ${at('a')}`, `IST0110 ${at('b')}`],
  ],
  [
    'two select many pods, told once',
    [sidecar('shop/a', { app: 'web' }), sidecar('shop/b', { v: '1' }), web, aPod('shop/web2', { app: 'web', v: '1' })],
    [`IST0110 ${at('a')}`, `IST0110 ${at('b')}`],
  ],
  [
    'two select a pod each',
    [sidecar('shop/a', { app: 'web' }), sidecar('shop/b', { app: 'x' }), web, aPod('shop/x', { app: 'x' })],
    [],
  ],
  [
    'two for a namespace',
    [sidecar('shop/a'), sidecar('shop/b')],
    ['IST0111 Sidecar/shop/a spec', 'IST0111 Sidecar/shop/b spec'],
  ],
  ['one for a namespace, one for a pod', [sidecar('shop/a'), sidecar('shop/b', { app: 'web' }), web], []],
  ['one for each namespace', [sidecar('shop/a'), sidecar('other/a')], []],
  [
    'a pod in ambient mode',
    [sidecar('shop/a', { app: 'web' }), aPod('shop/web', { app: 'web' }, redirected)],
    [`IST0167 ${at('a')}`],
  ],
  ['a namespace in ambient mode', [sidecar('shop/a'), ambient()], ['IST0167 Sidecar/shop/a metadata.namespace']],
  ['a namespace that is injected all the same', [sidecar('shop/a'), ambient({ 'istio-injection': 'enabled' })], []],
]);
