import { aPod, checkAnalyzer, the } from './testing/check-analyzer.js';
import { virtualserviceJwtClaimRoute } from './virtualservice-jwt-claim-route.js';

const routes = (match: object, gateways = ['g', 'mesh']) =>
  the('VirtualService shop/a', { gateways, http: [{}, { match: [match] }] });
const claim = (key: string) => routes({ headers: { [key]: { exact: 'x' } } });
const gateway = the('Gateway shop/g', { selector: { app: 'gw' } });
const pod = aPod('edge/gw', { app: 'gw' });
const checks = (namespace: string, app = 'gw') =>
  the(`RequestAuthentication ${namespace}/r`, { selector: { matchLabels: { app } } });
const found = (key: string, field = 'headers') => [
  `IST0149 VirtualService/shop/a spec.http[1].match[0].${field}["${key}"]`,
];

checkAnalyzer(virtualserviceJwtClaimRoute, [
  ['a claim that nobody checks', [claim('@request.auth.claims.sub'), gateway, pod], found('@request.auth.claims.sub')],
  ['in brackets', [claim('@request.auth.claims[a][b]'), gateway, pod], found('@request.auth.claims[a][b]')],
  [
    'in what must not be',
    [routes({ withoutHeaders: { '@request.auth.claims.sub': {} } }), gateway, pod],
    found('@request.auth.claims.sub', 'withoutHeaders'),
  ],
  ['a header', [claim('request.auth.claims.sub'), gateway, pod], []],
  ['no claim at all', [claim('@request.auth.claims'), gateway, pod], []],
  ['checked beside the workload', [claim('@request.auth.claims.sub'), gateway, pod, checks('edge')], []],
  ['checked in the whole mesh', [claim('@request.auth.claims.sub'), gateway, pod, checks('istio-system')], []],
  [
    'checked elsewhere',
    [claim('@request.auth.claims.sub'), gateway, pod, checks('shop')],
    found('@request.auth.claims.sub'),
  ],
  [
    'checked for others',
    [claim('@request.auth.claims.sub'), gateway, pod, checks('edge', 'x')],
    found('@request.auth.claims.sub'),
  ],
  ['no gateway, which is told elsewhere', [claim('@request.auth.claims.sub')], []],
]);
