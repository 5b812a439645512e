import { applicationUid } from './application-uid.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const user = (runAsUser: number) => ({ securityContext: { runAsUser } });

checkAnalyzer(applicationUid, [
  [
    'a pod of the proxy’s user',
    [the('Pod shop/a', { ...user(1337) })],
    ['IST0144 Pod/shop/a spec.securityContext.runAsUser'],
  ],
  [
    'a container of it',
    [the('Pod shop/a', { containers: [{ name: 'x' }, { name: 'y', ...user(1337) }] })],
    ['IST0144 Pod/shop/a spec.containers[1].securityContext.runAsUser'],
  ],
  [
    'both are one thing',
    [the('Pod shop/a', { ...user(1337), containers: [{ name: 'y', ...user(1337) }] })],
    ['IST0144 Pod/shop/a spec.securityContext.runAsUser'],
  ],
  ['the proxy itself', [the('Pod shop/a', { containers: [{ name: 'istio-proxy', ...user(1337) }] })], []],
  ['another user', [the('Pod shop/a', { ...user(1000) })], []],
  [
    'a Deployment',
    [the('Deployment shop/a', { template: { spec: { containers: [{ name: 'x', ...user(1337) }] } } })],
    ['IST0144 Deployment/shop/a spec.template.spec.containers[0].securityContext.runAsUser'],
  ],
  ['the control plane', [the('Pod istio-system/a', { ...user(1337) }, { labels: { istio: 'pilot' } })], []],
]);
