import { servicePortName } from './service-port-name.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const service = (port: object, more: object = {}, labels: Readonly<Record<string, string>> = {}) => [
  the('Service shop/a', { ports: [{ port: 8080, ...port }], ...more }, { labels }),
];
const unnamed = ['IST0118 Service/shop/a spec.ports[0]'];
const external = { type: 'ExternalName', externalName: 'x.example.com' };

checkAnalyzer(servicePortName, [
  ...['http', 'http2-x', 'grpc', 'grpc-web', 'tcp-x', 'tls', 'https', 'redis', 'mongo', 'mysql', 'HTTP'].map(
    (name) => [`named ${name}`, service({ name }), []] as const,
  ),
  ...['', 'web', 'httpx', 'x-http'].map((name) => [`named "${name}"`, service({ name }), unnamed] as const),
  ['told by appProtocol', service({ name: 'web', appProtocol: 'http' }), []],
  ['UDP', service({ name: 'x', protocol: 'UDP' }), []],
  ['a port of which everybody knows', service({ port: 3306 }), []],
  ['an ExternalName without protocol', service({ name: 'x' }, external), ['IST0150 Service/shop/a spec.ports[0]']],
  ['an ExternalName of TCP', service({ name: 'tcp' }, external), ['IST0150 Service/shop/a spec.ports[0]']],
  ['an ExternalName of TLS', service({ name: 'tls' }, external), []],
  [
    'the Service of a Gateway',
    service({ name: 'x' }, {}, { 'gateway.istio.io/managed': 'istio.io-gateway-controller' }),
    [],
  ],
  ['the control plane', service({ name: 'x' }, {}, { istio: 'pilot' }), []],
]);
