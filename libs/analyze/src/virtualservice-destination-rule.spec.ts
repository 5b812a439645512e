import { checkAnalyzer, the } from './testing/check-analyzer.js';
import { virtualserviceDestinationRule } from './virtualservice-destination-rule.js';

const to = (destination: object) => the('VirtualService shop/a', { http: [{ route: [{ destination }] }] });
const rule = (host: string, namespace = 'shop') =>
  the(`DestinationRule ${namespace}/r`, { host, subsets: [{ name: 'v1' }] });
const missing = ['IST0101 VirtualService/shop/a spec.http[0].route[0].destination.subset'];

checkAnalyzer(virtualserviceDestinationRule, [
  ['a subset', [to({ host: 'web', subset: 'v1' }), rule('web')], []],
  ['no subset', [to({ host: 'web' })], []],
  ['a subset that there is not', [to({ host: 'web', subset: 'v2' }), rule('web')], missing],
  ['a subset of another host', [to({ host: 'web', subset: 'v1' }), rule('other')], missing],
  [
    'a rule elsewhere for the full name',
    [to({ host: 'web', subset: 'v1' }), rule('web.shop.svc.cluster.local', 'other')],
    [],
  ],
  ['a rule elsewhere for its own short name', [to({ host: 'web', subset: 'v1' }), rule('web', 'other')], missing],
  ['a rule for a wider host', [to({ host: 'web', subset: 'v1' }), rule('*.shop.svc.cluster.local')], []],
  [
    'a mirror',
    [the('VirtualService shop/a', { http: [{ mirror: { host: 'web', subset: 'v1' } }] })],
    ['IST0101 VirtualService/shop/a spec.http[0].mirror.subset'],
  ],
]);
