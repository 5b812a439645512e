import { conditionsCondition } from './conditions-condition.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const status = (type: string, value: string, reason = 'R') => ({ conditions: [{ type, status: value, reason }] });

checkAnalyzer(conditionsCondition, [
  ['no status', [the('Service shop/a')], []],
  [
    'what is bad news',
    [the('Service shop/a', {}, { status: status('istio.io/WaypointBound', 'False') })],
    ['IST0171 Service/shop/a status.conditions[0]'],
  ],
  [
    'what of an old policy has no counterpart today',
    [the('ServiceRole shop/a', {}, { status: status('Translated', 'False') })],
    ['IST0171 ServiceRole/shop/a status.conditions[0]'],
  ],
  ['what is good news', [the('Service shop/a', {}, { status: status('istio.io/WaypointBound', 'True') })], []],
  ['what nobody is concerned about', [the('Service shop/a', {}, { status: status('Other', 'False') })], []],
  [
    'a parent of a route',
    [
      the(
        'HTTPRoute shop/a',
        {},
        { status: { parents: [status('Accepted', 'True'), status('ResolvedRefs', 'False')] } },
      ),
    ],
    ['IST0171 HTTPRoute/shop/a status.parents[1].conditions[0]'],
  ],
  [
    'a policy that is accepted in part',
    [the('AuthorizationPolicy shop/a', {}, { status: status('WaypointAccepted', 'True', 'PartiallyInvalid') })],
    ['IST0171 AuthorizationPolicy/shop/a status.conditions[0]'],
  ],
]);
