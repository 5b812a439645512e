import { checkAnalyzer, the } from './testing/check-analyzer.js';
import { virtualserviceDestinationHost } from './virtualservice-destination-host.js';

const to = (destination: object, more: object = {}, name = 'shop/a') =>
  the(`VirtualService ${name}`, { http: [{ route: [{ destination }] }], ...more });
const web = the('Service shop/web', { ports: [{ port: 80 }] });
const two = the('Service shop/two', { ports: [{ port: 80 }, { port: 81 }] });
const entry = (hosts: readonly string[], exportTo?: readonly string[], namespace = 'other') =>
  the(`ServiceEntry ${namespace}/e`, { hosts, exportTo, ports: [{ number: 80 }] });
const host = 'VirtualService/shop/a spec.http[0].route[0].destination.host';
const bound = (destination: object) => to(destination, { hosts: ['web'], gateways: ['g'] });
const bySubset = the('VirtualService shop/mesh', {
  hosts: ['web'],
  http: [{ route: [{ destination: { host: 'web.shop.svc.cluster.local', subset: 'v1' } }] }],
});

checkAnalyzer(virtualserviceDestinationHost, [
  ['a Service', [to({ host: 'web' }), web], []],
  ['a Service by its full name', [to({ host: 'web.shop.svc.cluster.local' }, {}, 'other/a'), web], []],
  ['a name that is neither short nor full', [to({ host: 'web.shop' }), web], [`IST0101 ${host}`]],
  [
    'a Service of another namespace by its short name',
    [to({ host: 'web' }, {}, 'other/a'), web],
    [`IST0101 ${host.replace('shop', 'other')}`],
  ],
  ['a ServiceEntry', [to({ host: 'x.example.com' }), entry(['x.example.com'])], []],
  ['a ServiceEntry with a wildcard', [to({ host: 'x.example.com' }), entry(['*.example.com'])], []],
  [
    'a ServiceEntry that is not for this namespace',
    [to({ host: 'x.example.com' }), entry(['x.example.com'], ['.'])],
    [`IST0101 ${host}`],
  ],
  [
    'a wildcard that is not for this namespace',
    [to({ host: 'x.example.com' }), entry(['*.example.com'], ['.'])],
    [`IST0101 ${host}`],
  ],
  ['a ServiceEntry for this namespace', [to({ host: 'x.example.com' }), entry(['x.example.com'], ['shop'])], []],
  ['the port that there is', [to({ host: 'web', port: { number: 80 } }), web], []],
  [
    'a port that there is not',
    [to({ host: 'web', port: { number: 81 } }), web],
    ['IST0101 VirtualService/shop/a spec.http[0].route[0].destination.port.number'],
  ],
  ['no port of two', [to({ host: 'two' }), two], [`IST0112 ${host}`]],
  ['one port of two', [to({ host: 'two', port: { number: 81 } }), two], []],
  [
    'mirrors, TCP and TLS',
    [
      the('VirtualService shop/a', {
        http: [{ mirror: { host: 'm' }, mirrors: [{ destination: { host: 'n' } }] }],
        tcp: [{ route: [{ destination: { host: 't' } }] }],
        tls: [{ route: [{ destination: { host: 's' } }] }],
      }),
    ],
    [
      'http[0].mirror',
      'http[0].mirrors[0].destination',
      'tcp[0].route[0].destination',
      'tls[0].route[0].destination',
    ].map((path) => `IST0101 VirtualService/shop/a spec.${path}.host`),
  ],
  ['a gateway that passes subsets by', [bound({ host: 'web' }), bySubset, web], [`IST0140 ${host}`]],
  ['a gateway that names a subset', [bound({ host: 'web', subset: 'v2' }), bySubset, web], []],
  [
    'a gateway whose own rules have subsets',
    [
      the('VirtualService shop/a', {
        hosts: ['web'],
        gateways: ['g'],
        http: [
          { route: [{ destination: { host: 'web', subset: 'v1' } }] },
          { route: [{ destination: { host: 'web' } }] },
        ],
      }),
      web,
    ],
    [],
  ],
  ['a rule of the mesh itself', [to({ host: 'web' }), bySubset, web], []],
]);
