import { gatewayConflictingGateway } from './gateway-conflicting-gateway.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const server = (hosts: readonly string[], number = 80, bind?: string) => ({ hosts, port: { number }, bind });
const gateway = (name: string, servers: readonly object[], selector: object = { app: 'gw' }) =>
  the(`Gateway ${name}`, { selector, servers });
const both = ['IST0145 Gateway/shop/a spec.servers[0].hosts', 'IST0145 Gateway/shop/b spec.servers[0].hosts'];

checkAnalyzer(gatewayConflictingGateway, [
  ['one host on one port', [gateway('shop/a', [server(['x'])]), gateway('shop/b', [server(['y', 'x'])])], both],
  [
    'across namespaces',
    [gateway('shop/a', [server(['x'])]), gateway('other/b', [server(['x'])])],
    ['IST0145 Gateway/shop/a spec.servers[0].hosts', 'IST0145 Gateway/other/b spec.servers[0].hosts'],
  ],
  ['other hosts', [gateway('shop/a', [server(['x'])]), gateway('shop/b', [server(['y'])])], []],
  ['other ports', [gateway('shop/a', [server(['x'])]), gateway('shop/b', [server(['x'], 81)])], []],
  ['other addresses', [gateway('shop/a', [server(['x'], 80, '1.1.1.1')]), gateway('shop/b', [server(['x'])])], []],
  ['other workloads', [gateway('shop/a', [server(['x'])]), gateway('shop/b', [server(['x'])], { app: 'x' })], []],
  [
    'a narrower selector for the same pod',
    [
      gateway('shop/a', [server(['x'])]),
      gateway('shop/b', [server(['x'])], { app: 'gw', v: '1' }),
      aPod('shop/p', { app: 'gw', v: '1' }),
    ],
    both,
  ],
  [
    'a narrower selector for no pod',
    [
      gateway('shop/a', [server(['x'])]),
      gateway('shop/b', [server(['x'])], { app: 'gw', v: '1' }),
      aPod('shop/p', { app: 'gw' }),
    ],
    [],
  ],
  [
    'the second of several servers on a port',
    [gateway('shop/a', [server(['v']), server(['x'])]), gateway('shop/b', [server(['x']), server(['w'])])],
    ['IST0145 Gateway/shop/a spec.servers[1].hosts', 'IST0145 Gateway/shop/b spec.servers[0].hosts'],
  ],
  ['servers of one Gateway', [gateway('shop/a', [server(['x']), server(['x'])])], []],
]);
