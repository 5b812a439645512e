import { describe, expect, it } from '@jest/globals';
import { makeAdapter, problemsOf } from '../testing/adapter.fixture.js';
import { denier } from './denier.js';

const nothing = { instance: 'denyrequest.checknothing.istio-system' };

describe('denier', () => {
  it.each([
    ['nothing', {}, { code: 7, validMs: 5000, validUses: 1000 }],
    [
      'a status',
      { status: { code: 16, message: 'Who are you?' } },
      { code: 16, message: 'Who are you?', validMs: 5000, validUses: 1000 },
    ],
    [
      'validity in snake_case',
      { status: { message: 'No' }, valid_duration: '1m', valid_use_count: 1 },
      { code: 7, message: 'No', validMs: 60_000, validUses: 1 },
    ],
  ])('says no, given %s', async (_, params, expected) => {
    const adapter = await makeAdapter(denier, params);
    expect(adapter.checknothing?.(nothing)).toEqual(expected);
    expect(adapter.listentry?.({ instance: 'a.listentry.default', value: 'x' })).toEqual(expected);
  });

  it('grants no quota', async () => {
    const adapter = await makeAdapter(denier, {});
    const quota = { instance: 'q.quota.default', dimensions: new Map() };
    expect(adapter.quota?.(quota, { amount: 1, bestEffort: true })).toEqual({ granted: 0, validMs: 5000 });
  });

  it.each([
    ['a status that is none', { status: { code: 17 } }, 'status.code'],
    ['a duration that is none', { validDuration: 'soon' }, 'validDuration'],
    ['a count below 0', { validUseCount: -1 }, 'validUseCount'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(denier, params)).toMatchObject([{ path }]);
  });
});
