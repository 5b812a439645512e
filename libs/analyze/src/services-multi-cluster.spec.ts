import { servicesMultiCluster } from './services-multi-cluster.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const service = (spec: object) =>
  the('Service shop/a', {
    ports: [
      { name: 'x', port: 1 },
      { name: 'y', port: 2 },
    ],
    ...spec,
  });
const beside = (spec: object) => ({ remoteClusters: new Map([['east', [service(spec), the('Pod shop/a')]]]) });
const odd = ['IST0170 Service/shop/a'];

checkAnalyzer(servicesMultiCluster, [
  ['one cluster', [service({})], []],
  ['the same in two', [service({})], [], beside({})],
  [
    'ports in another order',
    [service({})],
    [],
    beside({
      ports: [
        { name: 'y', port: 2 },
        { name: 'x', port: 1 },
      ],
    }),
  ],
  ['other ports', [service({})], odd, beside({ ports: [{ name: 'x', port: 1 }] })],
  ['headless in one', [service({})], odd, beside({ clusterIP: 'None' })],
  ['another type', [service({ type: 'ClusterIP' })], odd, beside({ type: 'LoadBalancer' })],
  ['the type that is the default', [service({ type: 'ClusterIP' })], [], beside({})],
  [
    'in remote clusters only',
    [],
    odd,
    {
      remoteClusters: new Map([
        ['east', [service({})]],
        ['west', [service({ type: 'NodePort' })]],
      ]),
    },
  ],
]);
