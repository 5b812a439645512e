import { injectionAnalyzer } from './injection.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const namespace = (labels: Readonly<Record<string, string>>, name = 'shop') => the(`Namespace ${name}`, {}, { labels });
const injected = namespace({ 'istio-injection': 'enabled' });
const byDefault = the('ConfigMap istio-system/istio-sidecar-injector', undefined, {
  data: { values: '{"sidecarInjectorWebhook": {"enableNamespacesByDefault": true}}' },
});
const labelled = 'Namespace/shop metadata.labels';

checkAnalyzer(injectionAnalyzer, [
  ['a namespace that says nothing', [namespace({})], ['IST0102 Namespace/shop metadata.name']],
  ['the namespace of the control plane', [namespace({}, 'istio-system')], []],
  ['another root namespace', [namespace({}, 'mesh')], [], { options: { rootNamespace: 'mesh' } }],
  ['a namespace that is left out', [namespace({ 'istio-injection': 'disabled' })], []],
  ['a namespace of a revision', [namespace({ 'istio.io/rev': 'x' })], []],
  ['a namespace in ambient mode', [namespace({ 'istio.io/dataplane-mode': 'ambient' })], []],
  ['two labels', [namespace({ 'istio-injection': 'enabled', 'istio.io/rev': 'x' })], [`IST0123 ${labelled}`]],
  ['two labels of which one leaves out', [namespace({ 'istio-injection': 'disabled', 'istio.io/rev': 'x' })], []],
  [
    'a revision and ambient mode',
    [namespace({ 'istio.io/rev': 'x', 'istio.io/dataplane-mode': 'ambient' })],
    [`IST0123 ${labelled}`],
  ],
  ['injection by default', [byDefault, namespace({})], ['IST0148 Namespace/shop metadata.name']],
  [
    'values that are no JSON',
    [the('ConfigMap istio-system/istio-sidecar-injector', undefined, { data: { values: '{' } }), namespace({})],
    ['IST0102 Namespace/shop metadata.name'],
  ],
  ['a pod without proxy', [injected, aPod('shop/a', {})], ['IST0103 Pod/shop/a metadata.name']],
  ['a pod with a proxy', [injected, the('Pod shop/a', { containers: [{ name: 'istio-proxy', image: 'x' }] })], []],
  [
    'a pod with a native sidecar',
    [injected, the('Pod shop/a', { initContainers: [{ name: 'istio-proxy', image: 'x' }] })],
    [],
  ],
  ['a pod that opts out by label', [injected, aPod('shop/a', { 'sidecar.istio.io/inject': 'false' })], []],
  [
    'a pod that opts out by annotation',
    [injected, aPod('shop/a', {}, { annotations: { 'sidecar.istio.io/inject': 'False' } })],
    [],
  ],
  [
    'the label counts before the annotation',
    [
      injected,
      aPod('shop/a', { 'sidecar.istio.io/inject': 'true' }, { annotations: { 'sidecar.istio.io/inject': 'false' } }),
    ],
    ['IST0103 Pod/shop/a metadata.name'],
  ],
  ['a pod on the network of its host', [injected, the('Pod shop/a', { hostNetwork: true })], []],
  ['a pod elsewhere', [injected, aPod('other/a', {})], []],
]);
