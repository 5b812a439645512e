import { authnBlockedCidrs } from './authn-blocked-cidrs.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const istiod = (env: readonly object[], app = 'istiod') =>
  the('Deployment istio-system/istiod', { template: { spec: { containers: [{ env }] } } }, { labels: { app } });
const policy = the('RequestAuthentication shop/a');
const blocked = { name: 'BLOCKED_CIDRS_IN_JWKS_URIS', value: '10.0.0.0/8' };

checkAnalyzer(authnBlockedCidrs, [
  ['no policy that names keys', [istiod([])], []],
  ['no control plane among the objects', [policy], []],
  [
    'nothing is blocked',
    [policy, istiod([])],
    ['IST0175 Deployment/istio-system/istiod spec.template.spec.containers'],
  ],
  [
    'an empty list blocks nothing',
    [policy, istiod([{ ...blocked, value: '' }])],
    ['IST0175 Deployment/istio-system/istiod spec.template.spec.containers'],
  ],
  ['addresses are blocked', [policy, istiod([blocked])], []],
  ['another Deployment', [policy, istiod([], 'web')], []],
]);
