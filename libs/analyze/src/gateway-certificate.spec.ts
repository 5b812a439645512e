import { gatewayCertificate } from './gateway-certificate.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const gateway = (name: string, tls: object, selector: object = { app: 'gw' }) =>
  the(`Gateway shop/${name}`, { selector, servers: [{ tls }] });
const files = (key: string) => ({ serverCertificate: '/crt', privateKey: key });
const credential = { credentialName: 'c' };

checkAnalyzer(gatewayCertificate, [
  [
    'one credential in two',
    [gateway('a', credential), gateway('b', credential)],
    [
      'IST0138 Gateway/shop/a spec.servers[0].tls.credentialName',
      'IST0138 Gateway/shop/b spec.servers[0].tls.credentialName',
    ],
  ],
  [
    'one pair of files in two',
    [gateway('a', files('k')), gateway('b', files('k'))],
    ['IST0138 Gateway/shop/a spec.servers[0].tls', 'IST0138 Gateway/shop/b spec.servers[0].tls'],
  ],
  ['files of which one differs', [gateway('a', files('k')), gateway('b', files('l'))], []],
  ['other workloads', [gateway('a', credential), gateway('b', credential, { app: 'x' })], []],
  [
    'a wider selector, told of the wider',
    [gateway('a', credential), gateway('b', credential, { app: 'gw', v: '1' })],
    ['IST0138 Gateway/shop/a spec.servers[0].tls.credentialName'],
  ],
  ['no TLS', [gateway('a', {}), gateway('b', {})], []],
  [
    'several servers of one Gateway',
    [the('Gateway shop/a', { servers: [{ tls: credential }, { tls: credential }] })],
    [],
  ],
]);
