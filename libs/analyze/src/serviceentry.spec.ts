import { serviceentry } from './serviceentry.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const entry = (protocol: string | undefined, more: object = {}, status?: object) => [
  the(
    'ServiceEntry shop/a',
    {
      hosts: ['x'],
      ports: [
        { number: 1, protocol: 'HTTP' },
        { number: 2, protocol },
      ],
      ...more,
    },
    { status },
  ),
];
const needed = ['IST0134 ServiceEntry/shop/a spec.ports[1]'];
const dns = (more: object) => ({
  meshConfig: { defaultConfig: { proxyMetadata: { ISTIO_META_DNS_CAPTURE: 'true', ...more } } },
});

checkAnalyzer(serviceentry, [
  ...['TCP', 'tcp', '', undefined].map((protocol) => [`${protocol}`, entry(protocol), needed] as const),
  ...['TLS', 'HTTPS', 'GRPC', 'MONGO'].map((protocol) => [protocol, entry(protocol), []] as const),
  ['TCP with an address', entry('TCP', { addresses: ['1.2.3.4'] }), []],
  ['TCP with an empty list of addresses', entry('TCP', { addresses: [] }), needed],
  ['TCP with an address that was allocated', entry('TCP', {}, { addresses: [{ value: '240.0.0.1' }] }), []],
  ['proxies that answer DNS', entry('TCP'), needed, dns({})],
  ['proxies that allocate', entry('TCP'), [], dns({ ISTIO_META_DNS_AUTO_ALLOCATE: 'true' })],
  ['a control plane that allocates', entry('TCP'), [], dns({ PILOT_ENABLE_IP_AUTOALLOCATE: 'true' })],
]);
