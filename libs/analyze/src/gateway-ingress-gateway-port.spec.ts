import { gatewayIngressGatewayPort } from './gateway-ingress-gateway-port.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const gateway = (number: number, selector: object = { app: 'gw' }) =>
  the('Gateway shop/g', { selector, servers: [{ port: { number } }] });
const pod = aPod('shop/gw', { app: 'gw' });
const service = (port: object, name = 'shop/gw') => the(`Service ${name}`, { selector: { app: 'gw' }, ports: [port] });
const noPort = ['IST0162 Gateway/shop/g spec.servers[0].port.number'];

checkAnalyzer(gatewayIngressGatewayPort, [
  ['a port of the Service', [gateway(80), pod, service({ port: 80, targetPort: 8080 })], []],
  ['the target of a port', [gateway(8080), pod, service({ port: 80, targetPort: 8080 })], []],
  ['a target in text', [gateway(8080), pod, service({ port: 80, targetPort: '8080' })], []],
  [
    'a target by name',
    [
      gateway(8080),
      the(
        'Pod shop/gw',
        { containers: [{ ports: [{ name: 'web', containerPort: 8080 }] }] },
        { labels: { app: 'gw' } },
      ),
      service({ port: 80, targetPort: 'web' }),
    ],
    [],
  ],
  ['a target whose name nobody has', [gateway(8080), pod, service({ port: 80, targetPort: 'web' })], noPort],
  ['another port', [gateway(81), pod, service({ port: 80 })], noPort],
  ['a port of UDP', [gateway(80), pod, service({ port: 80, protocol: 'UDP' })], noPort],
  ['a Service of another namespace', [gateway(80), pod, service({ port: 80 }, 'other/gw')], noPort],
  ['a Service without selector', [gateway(80), pod, the('Service shop/x', { ports: [{ port: 80 }] })], noPort],
  ['no workload', [gateway(80)], ['IST0101 Gateway/shop/g spec.selector']],
  [
    'a Deployment that will run it',
    [
      gateway(80),
      the('Deployment shop/gw', { template: { metadata: { labels: { app: 'gw' } } } }),
      service({ port: 80 }),
    ],
    [],
  ],
  ['the ingress gateway of the installation', [gateway(443, { istio: 'ingressgateway' })], []],
  ['its ports inside the pod', [gateway(8080, { istio: 'ingressgateway' })], []],
  [
    'a port that it has not',
    [gateway(8081, { istio: 'ingressgateway' })],
    ['IST0162 Gateway/shop/g spec.servers[0].port.number'],
  ],
  [
    'the same where there is none',
    [gateway(443, { istio: 'ingressgateway' })],
    ['IST0101 Gateway/shop/g spec.selector'],
    { meshConfig: { ingressControllerMode: 'OFF' } },
  ],
  [
    'the same under another root namespace, with a Service of its own',
    [
      gateway(9, { istio: 'ingressgateway' }),
      the('Service mesh/istio-ingressgateway', { selector: { istio: 'ingressgateway' }, ports: [{ port: 9 }] }),
    ],
    [],
    { meshConfig: { rootNamespace: 'mesh' } },
  ],
]);
