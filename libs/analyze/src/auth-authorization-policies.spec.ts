import { authAuthorizationPolicies } from './auth-authorization-policies.js';
import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';

const selecting = (namespace: string, app: string) =>
  the(`AuthorizationPolicy ${namespace}/a`, { selector: { matchLabels: { app } } });
const injected = the('Namespace shop', {}, { labels: { 'istio-injection': 'enabled' } });
const web = aPod('shop/web', { app: 'web' });
const from = (source: object) => the('AuthorizationPolicy istio-system/a', { rules: [{ from: [{ source }] }] });

checkAnalyzer(authAuthorizationPolicies, [
  ['selects a workload of an injected namespace', [injected, web, selecting('shop', 'web')], []],
  [
    'selects a workload without proxy',
    [web, selecting('shop', 'web')],
    ['IST0127 AuthorizationPolicy/shop/a spec.selector'],
  ],
  ['selects nothing', [injected, web, selecting('shop', 'x')], ['IST0127 AuthorizationPolicy/shop/a spec.selector']],
  [
    'selects a pod that says for itself',
    [aPod('shop/web', { app: 'web', 'sidecar.istio.io/inject': 'true' }), selecting('shop', 'web')],
    [],
  ],
  [
    'selects a pod that opts out',
    [injected, aPod('shop/web', { app: 'web', 'sidecar.istio.io/inject': 'false' }), selecting('shop', 'web')],
    ['IST0127 AuthorizationPolicy/shop/a spec.selector'],
  ],
  [
    'selects a pod in ambient mode',
    [
      aPod('shop/web', { app: 'web' }, { annotations: { 'ambient.istio.io/redirection': 'enabled' } }),
      selecting('shop', 'web'),
    ],
    [],
  ],
  [
    'selects a workload outside Kubernetes',
    [the('WorkloadEntry shop/vm', { labels: { app: 'web' } }), selecting('shop', 'web')],
    [],
  ],
  [
    'selects what a Deployment will run',
    [
      injected,
      the('Deployment shop/web', { template: { metadata: { labels: { app: 'web' } } } }),
      selecting('shop', 'web'),
    ],
    [],
  ],
  [
    'selects in another namespace only',
    [injected, web, selecting('other', 'web')],
    ['IST0127 AuthorizationPolicy/other/a spec.selector'],
  ],
  ['selects in the whole mesh, from the root namespace', [injected, web, selecting('istio-system', 'web')], []],
  [
    'selects nothing in the whole mesh',
    [injected, web, selecting('istio-system', 'x')],
    ['IST0127 AuthorizationPolicy/istio-system/a spec.selector'],
  ],
  ['another root namespace', [injected, web, selecting('mesh', 'web')], [], { options: { rootNamespace: 'mesh' } }],
  ['is for a namespace without workloads', [the('AuthorizationPolicy shop/a')], ['IST0127 AuthorizationPolicy/shop/a']],
  ['is for the whole mesh', [the('AuthorizationPolicy istio-system/a')], []],
  [
    'is attached by reference',
    [the('AuthorizationPolicy shop/a', { targetRefs: [{ kind: 'Gateway', name: 'g' }] })],
    [],
  ],
  ['names a namespace that there is', [injected, from({ namespaces: ['shop', 'sh*', '*op', '*'] })], []],
  [
    'names namespaces that there are not',
    [injected, from({ namespaces: ['shop', 'shp'], notNamespaces: ['x*'] })],
    [
      'IST0101 AuthorizationPolicy/istio-system/a spec.rules[0].from[0].source.namespaces[1]',
      'IST0101 AuthorizationPolicy/istio-system/a spec.rules[0].from[0].source.notNamespaces[0]',
    ],
  ],
]);
