import { gatewaySecret } from './gateway-secret.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const gateway = (tls: object, selector: object = { app: 'gw' }) =>
  the('Gateway shop/g', { selector, servers: [{ tls }] });
const pod = aPod('edge/gw', { app: 'gw' });
const secret = (name: string, fields: object) => the(`Secret ${name}`, undefined, { ...fields });
const path = 'spec.servers[0].tls.credentialName';
const missing = [`IST0101 Gateway/shop/g ${path}`];
const invalid = [`IST0161 Gateway/shop/g ${path}`];
const base64 = (text: string) => Buffer.from(text).toString('base64');

checkAnalyzer(gatewaySecret, [
  ['no workload', [gateway({ credentialName: 'c' })], ['IST0101 Gateway/shop/g spec.selector']],
  ['no Secret', [gateway({ credentialName: 'c' }), pod], missing],
  [
    'a Secret beside the Gateway, not beside its workload',
    [gateway({ credentialName: 'c' }), pod, secret('shop/c', {})],
    missing,
  ],
  ['no credential', [gateway({ mode: 'SIMPLE', serverCertificate: '/crt' }), pod], []],
  ['a credential from elsewhere', [gateway({ credentialName: 'file:///crt' }), pod], []],
  ['a credential by its full name', [gateway({ credentialName: 'kubernetes://c' }), pod], missing],
  [
    'one of several',
    [gateway({ credentialNames: ['c', 'd'] }), pod, secret('edge/c', { data: { 'tls.crt': '', 'tls.key': '' } })],
    [
      'IST0161 Gateway/shop/g spec.servers[0].tls.credentialNames[0]',
      'IST0101 Gateway/shop/g spec.servers[0].tls.credentialNames[1]',
    ],
  ],
  ['a Secret without keys', [gateway({ credentialName: 'c' }), pod, secret('edge/c', {})], invalid],
  [
    'a Secret with half a pair',
    [gateway({ credentialName: 'c' }), pod, secret('edge/c', { data: { 'tls.crt': base64('x') } })],
    invalid,
  ],
  [
    'a Secret that holds no certificate',
    [gateway({ credentialName: 'c' }), pod, secret('edge/c', { data: { cert: base64('x'), key: base64('y') } })],
    invalid,
  ],
  [
    'the same in plain text',
    [gateway({ credentialName: 'c' }), pod, secret('edge/c', { stringData: { cert: 'x', key: 'y' } })],
    invalid,
  ],
]);
