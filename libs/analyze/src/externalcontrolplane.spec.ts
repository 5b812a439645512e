import { externalcontrolplane } from './externalcontrolplane.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const hook = (kind: string, name: string, clientConfig: object) =>
  the(`${kind}WebhookConfiguration ${name}`, undefined, { webhooks: [{ name: 'x', clientConfig }] });
const injector = (clientConfig: object) => [hook('Mutating', 'istio-sidecar-injector-x', clientConfig)];

checkAnalyzer(externalcontrolplane, [
  ['a name', injector({ url: 'https://a.example.com:15017/inject' }), []],
  [
    'an address',
    injector({ url: 'https://1.2.3.4:15017/inject' }),
    ['IST0164 MutatingWebhookConfiguration/istio-sidecar-injector-x webhooks[0].clientConfig.url'],
  ],
  [
    'an IPv6 address',
    injector({ url: 'https://[fd00::1]:15017/inject' }),
    ['IST0164 MutatingWebhookConfiguration/istio-sidecar-injector-x webhooks[0].clientConfig.url'],
  ],
  [
    'no URL',
    injector({ url: ':' }),
    ['IST0163 MutatingWebhookConfiguration/istio-sidecar-injector-x webhooks[0].clientConfig.url'],
  ],
  ['nothing', injector({}), ['IST0163 MutatingWebhookConfiguration/istio-sidecar-injector-x webhooks[0].clientConfig']],
  ['a Service', injector({ service: { name: 'istiod' } }), []],
  [
    'the webhook of validation',
    [hook('Validating', 'istiod-default-validator', {}), hook('Validating', 'istio-validator-x', {})],
    [
      'IST0163 ValidatingWebhookConfiguration/istio-validator-x webhooks[0].clientConfig',
      'IST0163 ValidatingWebhookConfiguration/istiod-default-validator webhooks[0].clientConfig',
    ],
  ],
  ['webhooks of others', [hook('Mutating', 'cert-manager', {}), hook('Validating', 'cert-manager', {})], []],
]);
