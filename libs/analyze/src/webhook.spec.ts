import { checkAnalyzer, the } from './testing/check-analyzer.js';
import { webhook } from './webhook.js';

const hook = (name: string, selectors: object, clientConfig: object = { url: 'https://x' }, own = 'x.istio.io') =>
  the(`MutatingWebhookConfiguration ${name}`, undefined, { webhooks: [{ name: own, clientConfig, ...selectors }] });
const enabled = { namespaceSelector: { matchLabels: { 'istio-injection': 'enabled' } } };
const revision = (name: string) => ({ namespaceSelector: { matchLabels: { 'istio.io/rev': name } } });
const noRevision = { matchExpressions: [{ key: 'istio.io/rev', operator: 'DoesNotExist' }] };
const overlap = (...names: string[]) =>
  names.map((name) => `IST0139 MutatingWebhookConfiguration/${name} webhooks[0].namespaceSelector`);
const toService = { service: { name: 'istiod', namespace: 'istio-system' } };

checkAnalyzer(webhook, [
  ['one', [hook('a', enabled)], []],
  ['two for one namespace', [hook('a', enabled), hook('b', enabled)], overlap('a', 'b')],
  ['two for revisions of their own', [hook('a', revision('x')), hook('b', revision('y'))], []],
  ['one for a revision, one that minds it not', [hook('a', revision('x')), hook('b', enabled)], overlap('a', 'b')],
  [
    'one for a revision, one that keeps out of it',
    [hook('a', revision('x')), hook('b', { namespaceSelector: { ...enabled.namespaceSelector, ...noRevision } })],
    [],
  ],
  [
    'two for pods of their own',
    [
      hook('a', { objectSelector: { matchLabels: { 'sidecar.istio.io/inject': 'true' } } }),
      hook('b', { objectSelector: { matchLabels: { 'sidecar.istio.io/inject': 'false' } } }),
    ],
    [],
  ],
  ['webhooks of others', [hook('a', {}, undefined, 'x.example.com'), hook('b', {}, undefined, 'y.example.com')], []],
  ['a Service that there is', [hook('a', enabled, toService), the('Service istio-system/istiod')], []],
  [
    'a Service that there is not',
    [hook('a', enabled, toService)],
    ['IST0139 MutatingWebhookConfiguration/a webhooks[0].clientConfig.service'],
  ],
]);
