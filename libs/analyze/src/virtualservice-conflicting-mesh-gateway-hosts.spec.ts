import { checkAnalyzer, the } from './testing/check-analyzer.js';
import { virtualserviceConflictingMeshGatewayHosts } from './virtualservice-conflicting-mesh-gateway-hosts.js';

const service = (name: string, hosts: readonly string[], more: object = {}) =>
  the(`VirtualService ${name}`, { hosts, ...more });
const found = (...names: string[]) => names.map((name) => `IST0109 VirtualService/${name} spec.hosts[0]`);

checkAnalyzer(virtualserviceConflictingMeshGatewayHosts, [
  ['one host in two', [service('shop/a', ['x']), service('shop/b', ['x'])], found('shop/a', 'shop/b')],
  [
    'a short name and the full one',
    [service('shop/a', ['x']), service('other/b', ['x.shop.svc.cluster.local'])],
    found('shop/a', 'other/b'),
  ],
  ['short names of two namespaces', [service('shop/a', ['x']), service('other/b', ['x'])], []],
  ['bound to a gateway only', [service('shop/a', ['x']), service('shop/b', ['x'], { gateways: ['g'] })], []],
  [
    'bound to a gateway and the mesh',
    [service('shop/a', ['x']), service('shop/b', ['x'], { gateways: ['g', 'mesh'] })],
    found('shop/a', 'shop/b'),
  ],
  [
    'each for its own namespace',
    [service('shop/a', ['x.com'], { exportTo: ['.'] }), service('other/b', ['x.com'], { exportTo: ['.'] })],
    [],
  ],
  [
    'one for all, one for a namespace',
    [service('shop/a', ['x.com']), service('other/b', ['x.com'], { exportTo: ['.'] })],
    found('shop/a', 'other/b'),
  ],
  ['delegates, which have no hosts', [service('shop/a', []), service('shop/b', [])], []],
  ['one host twice in one', [service('shop/a', ['x', 'x.shop.svc.cluster.local'])], []],
]);
