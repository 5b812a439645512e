import { destinationruleSubsetSelectPod } from './destinationrule-subset-select-pod.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const rule = (host: string, labels: object, exportTo?: readonly string[]) =>
  the('DestinationRule shop/a', { host, exportTo, subsets: [{ name: 's', labels }] });
const web = the('Service shop/web', { selector: { app: 'web' } });
const pod = aPod('shop/web', { app: 'web', version: 'v1' });
const noPods = ['IST0173 DestinationRule/shop/a spec.subsets[0]'];
const noHost = ['IST0174 DestinationRule/shop/a spec.host'];
const entry = (spec: object) => the('ServiceEntry shop/e', { hosts: ['x.example.com'], ...spec });

checkAnalyzer(destinationruleSubsetSelectPod, [
  ['a pod of the subset', [rule('web', { version: 'v1' }), web, pod], []],
  ['no pod of the subset', [rule('web', { version: 'v2' }), web, pod], noPods],
  [
    'a pod of another service only',
    [rule('web', { version: 'v2' }), web, pod, aPod('shop/x', { app: 'x', version: 'v2' })],
    noPods,
  ],
  [
    'a pod of another namespace only',
    [rule('web', { version: 'v1' }), web, aPod('other/web', { app: 'web', version: 'v1' })],
    noPods,
  ],
  [
    'what a StatefulSet will run',
    [
      rule('web', { version: 'v1' }),
      web,
      the('StatefulSet shop/web', { template: { metadata: { labels: { app: 'web', version: 'v1' } } } }),
    ],
    [],
  ],
  ['a subset that is the whole host', [rule('web', {}), web], []],
  [
    'a Service without selector',
    [rule('web', { version: 'v1' }), the('Service shop/web'), aPod('any/where', { version: 'v1' })],
    [],
  ],
  [
    'labels of the place of a node',
    [
      rule('web', { 'topology.kubernetes.io/zone': 'z' }),
      web,
      the('Pod shop/web', { nodeName: 'n' }, { labels: { app: 'web' } }),
      the('Node n', {}, { labels: { 'topology.kubernetes.io/zone': 'z' } }),
    ],
    [],
  ],
  [
    'endpoints that a ServiceEntry states',
    [rule('x.example.com', { v: '1' }), entry({ endpoints: [{ address: '1.2.3.4', labels: { v: '1' } }] })],
    [],
  ],
  [
    'endpoints of other labels',
    [rule('x.example.com', { v: '2' }), entry({ endpoints: [{ address: '1.2.3.4', labels: { v: '1' } }] })],
    noPods,
  ],
  [
    'workloads that a ServiceEntry selects',
    [
      rule('x.example.com', { v: '1' }),
      entry({ workloadSelector: { labels: { a: 'b' } } }),
      the('WorkloadEntry shop/w', { labels: { a: 'b', v: '1' } }),
    ],
    [],
  ],
  ['a host that is no service', [rule('nobody', { v: '1' })], noHost],
  ['a wildcard over some service', [the('DestinationRule shop/a', { host: '*.shop.svc.cluster.local' }), web], []],
  ['a wildcard over none', [the('DestinationRule shop/a', { host: '*.example.com' }), web], noHost],
  [
    'a host under a wildcard',
    [
      the('DestinationRule shop/a', { host: 'a.example.com' }),
      the('ServiceEntry shop/e', { hosts: ['*.example.com'] }),
    ],
    [],
  ],
  ['a full name', [the('DestinationRule other/a', { host: 'web.shop.svc.cluster.local' }), web], []],
  [
    'another cluster domain',
    [the('DestinationRule other/a', { host: 'web.shop.svc.mesh.local' }), web],
    [],
    { options: { clusterDomain: 'mesh.local' } },
  ],
  [
    'a service that the namespace does not see',
    [
      the('DestinationRule other/a', { host: 'web.shop.svc.cluster.local' }),
      the('Service shop/web', {}, { annotations: { 'networking.istio.io/exportTo': '.' } }),
    ],
    ['IST0174 DestinationRule/other/a spec.host'],
  ],
]);
