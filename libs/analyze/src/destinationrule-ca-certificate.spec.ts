import { destinationruleCaCertificate } from './destinationrule-ca-certificate.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const rule = (tls: object, more: object = {}) => [
  the('DestinationRule shop/a', { host: 'x', trafficPolicy: { tls }, ...more }),
];
const found = ['IST0128 DestinationRule/shop/a spec.trafficPolicy.tls'];

checkAnalyzer(destinationruleCaCertificate, [
  ['TLS without authority', rule({ mode: 'SIMPLE' }), found],
  ['mutual TLS without authority', rule({ mode: 'MUTUAL', clientCertificate: 'a' }), found],
  ['TLS with authority', rule({ mode: 'SIMPLE', caCertificates: 'a' }), []],
  ['TLS of the mesh', rule({ mode: 'ISTIO_MUTUAL' }), []],
  ['no TLS', rule({ mode: 'DISABLE' }), []],
  ['a credential that sidecars do not fetch', rule({ mode: 'SIMPLE', credentialName: 'a' }), found],
  [
    'a credential that they do',
    rule({ mode: 'SIMPLE', credentialName: 'a' }, { workloadSelector: { matchLabels: { a: 'b' } } }),
    [],
  ],
  [
    'one port of two',
    [
      the('DestinationRule shop/a', {
        trafficPolicy: {
          portLevelSettings: [
            { port: { number: 1 }, tls: { mode: 'SIMPLE', caCertificates: 'x' } },
            { port: { number: 2 }, tls: { mode: 'SIMPLE' } },
          ],
        },
      }),
    ],
    ['IST0129 DestinationRule/shop/a spec.trafficPolicy.portLevelSettings[1].tls'],
  ],
]);
