import { deprecation } from './deprecation.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

checkAnalyzer(deprecation, [
  [
    'a delay in percent',
    [the('VirtualService shop/a', { http: [{}, { fault: { delay: { percent: 1 } } }] })],
    ['IST0002 VirtualService/shop/a spec.http[1].fault.delay.percent'],
  ],
  ['a delay in no percent', [the('VirtualService shop/a', { http: [{ fault: { delay: { percent: 0 } } }] })], []],
  [
    'a delay as a percentage',
    [the('VirtualService shop/a', { http: [{ fault: { delay: { percentage: { value: 1 } } } }] })],
    [],
  ],
  [
    'an egress proxy of a Sidecar',
    [the('Sidecar shop/a', { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'x' } } })],
    ['IST0002 Sidecar/shop/a spec.outboundTrafficPolicy.egressProxy'],
  ],
  [
    'a kind that is gone',
    [the('CustomResourceDefinition x', { group: 'rbac.istio.io', names: { kind: 'ServiceRole' } })],
    ['IST0002 CustomResourceDefinition/x spec.names.kind'],
  ],
  [
    'a kind of others',
    [the('CustomResourceDefinition x', { group: 'example.com', names: { kind: 'ServiceRole' } })],
    [],
  ],
]);
