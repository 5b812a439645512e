import { describe, expect, it } from '@jest/globals';
import type { Rule } from '@seine/istio';
import { emitRule, type RuleContext } from './rule.js';

const context: RuleContext = { protocol: 'http', namespace: 'default', trustDomains: ['cluster.local'] };
const judged: Rule = { to: [{ operation: { methods: ['GET'] } }] };

describe.each<readonly [string, Pick<Rule, 'from' | 'when'>]>([
  ['a condition on what there is not', { when: [{ key: 'request.size', values: ['1'] }] }],
  ['an address that is none', { when: [{ key: 'source.ip', values: ['10.0.0.0/8', 'a'] }] }],
  ['an excluded address that is none', { when: [{ key: 'source.ip', notValues: ['a'] }] }],
  ['a port that is none', { when: [{ key: 'destination.port', values: ['http'] }] }],
  ['a block that is none', { from: [{ source: { ipBlocks: ['a'] } }] }],
  ['metadata without a key', { when: [{ key: 'experimental.envoy.filters.a', values: ['a'] }] }],
])('A-20: a stored rule with %s', (_name, what) => {
  it('allows nothing', () => {
    expect(emitRule({ ...judged, ...what }, context, false)).toBeUndefined();
  });

  it('denies whatever else it says', () => {
    expect(emitRule({ ...judged, ...what }, context, true)).toEqual(emitRule(judged, context, true));
  });
});
