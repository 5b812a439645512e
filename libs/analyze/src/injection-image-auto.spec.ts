import { injectionImageAuto } from './injection-image-auto.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const spec = {
  containers: [
    { name: 'app', image: 'auto' },
    { name: 'istio-proxy', image: 'auto' },
  ],
};
const deployment = the('Deployment shop/a', { template: { metadata: { labels: { app: 'a' } }, spec } });
const webhook = (selectors: object, name = 'x.istio.io') =>
  the('MutatingWebhookConfiguration w', undefined, { webhooks: [{ name, ...selectors }] });
const namespace = the('Namespace shop', {}, { labels: { 'istio-injection': 'enabled' } });
const wrong = ['IST0146 Deployment/shop/a spec.template.spec.containers[1].image'];
const matching = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});

checkAnalyzer(injectionImageAuto, [
  [
    'a pod that was not injected',
    [the('Pod shop/a', spec), webhook({})],
    ['IST0147 Pod/shop/a spec.containers[1].image'],
  ],
  ['an application of that image', [the('Pod shop/a', { containers: [{ name: 'app', image: 'auto' }] })], []],
  ['no webhook', [deployment], wrong],
  ['a webhook for all', [deployment, webhook({})], []],
  ['a webhook of others', [deployment, webhook({}, 'x.example.com')], wrong],
  [
    'a webhook for the namespace',
    [deployment, namespace, webhook({ namespaceSelector: { matchLabels: { 'istio-injection': 'enabled' } } })],
    [],
  ],
  [
    'a webhook for other namespaces',
    [deployment, webhook({ namespaceSelector: { matchLabels: { 'istio-injection': 'enabled' } } })],
    wrong,
  ],
  ['a webhook for the pod', [deployment, webhook({ objectSelector: matching('app', 'In', 'a', 'b') })], []],
  ['a webhook for pods with another label', [deployment, webhook({ objectSelector: matching('x', 'Exists') })], wrong],
  ['a webhook for pods without a label', [deployment, webhook({ objectSelector: matching('x', 'DoesNotExist') })], []],
  ['a webhook for other pods', [deployment, webhook({ objectSelector: matching('app', 'NotIn', 'a') })], wrong],
  [
    'a webhook with an operator that there is not',
    [deployment, webhook({ objectSelector: matching('app', 'Like', 'a') })],
    wrong,
  ],
]);
