import { deploymentMultiService } from './deployment-multi-service.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const deployment = (labels: Readonly<Record<string, string>> = {}) =>
  the(
    'Deployment shop/web',
    { template: { metadata: { labels: { app: 'web', 'sidecar.istio.io/inject': 'true' } } } },
    { labels },
  );
const service = (name: string, ports: readonly object[], selector: object = { app: 'web' }) =>
  the(`Service shop/${name}`, { selector, ports });

checkAnalyzer(deploymentMultiService, [
  [
    'services that agree',
    [deployment(), service('a', [{ port: 80 }]), service('b', [{ port: 80, protocol: 'TCP' }])],
    [],
  ],
  [
    'services of two protocols on one port',
    [deployment(), service('a', [{ port: 80 }]), service('b', [{ port: 80, protocol: 'UDP' }])],
    ['IST0116 Deployment/shop/web metadata.name'],
  ],
  [
    'services of two ports to one target',
    [deployment(), service('a', [{ port: 80, targetPort: 8080 }]), service('b', [{ port: 81, targetPort: 8080 }])],
    ['IST0137 Deployment/shop/web metadata.name'],
  ],
  [
    'a port that is the target of another',
    [deployment(), service('a', [{ port: 80 }]), service('b', [{ port: 81, targetPort: 80 }])],
    ['IST0137 Deployment/shop/web metadata.name'],
  ],
  [
    'targets by name',
    [deployment(), service('a', [{ port: 80, targetPort: 'x' }]), service('b', [{ port: 81, targetPort: 'y' }])],
    [],
  ],
  [
    'services that select others, or nothing',
    [deployment(), service('a', [{ port: 80 }], { app: 'x' }), service('b', [{ port: 80, protocol: 'UDP' }], {})],
    [],
  ],
  [
    'services of another namespace',
    [
      deployment(),
      service('a', [{ port: 80 }]),
      the('Service other/b', { selector: { app: 'web' }, ports: [{ port: 80, protocol: 'UDP' }] }),
    ],
    [],
  ],
  [
    'a waypoint',
    [
      deployment({ 'gateway.istio.io/managed': 'istio.io-mesh-controller' }),
      service('a', [{ port: 80 }]),
      service('b', [{ port: 80, protocol: 'UDP' }]),
    ],
    [],
  ],
  [
    'a Deployment outside the mesh',
    [
      the('Deployment shop/web', { template: { metadata: { labels: { app: 'web' } } } }),
      service('a', [{ port: 80 }]),
      service('b', [{ port: 80, protocol: 'UDP' }]),
    ],
    [],
  ],
]);
