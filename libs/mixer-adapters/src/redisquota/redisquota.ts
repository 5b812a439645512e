import { forms, type Of } from '@seine/istio';
import {
  type AdapterContext,
  adapterKind,
  type AdapterKind,
  type ParamsProblem,
  type QuotaVerdict,
} from '@seine/mixer';
import type { Counters, Hit, Limit, Verdict } from '@seine/rate-limit';
import { milliseconds } from '../params/durations.js';
import { limitOf, quotaKey, quotaProblems, quotasByName } from '../quota/limits.js';
import type { AdapterRim } from '../rim/rim.js';

const algorithms = ['FIXED_WINDOW', 'ROLLING_WINDOW'] as const;
const amount = forms.uint64('The most that may be taken.');

const params = forms.message('Counts in Redis, shared by all mixers.', {
  quotas: {
    ...forms.list(
      forms.message('A limit.', {
        name: forms.text('Full name of the quota instance, as requestcount.instance.istio-system.'),
        maxAmount: { ...amount, default: 0 },
        validDuration: { ...forms.durationOrZero('The window.'), default: '0s' },
        bucketDuration: {
          ...forms.durationOrZero('How fine ROLLING_WINDOW was in Istio; windows here roll without steps.'),
          default: '0s',
        },
        rateLimitAlgorithm: {
          ...forms.choice(algorithms, 'Whether windows follow each other, or roll.', { numbered: true }),
          default: 'FIXED_WINDOW',
        },
        overrides: forms.list(
          forms.message('Another limit, for some.', {
            dimensions: forms.textMap('What an instance must have for it.'),
            maxAmount: { ...amount, default: 0 },
          }),
          'The first that fits holds.',
        ),
      }),
      'What is limited.',
    ),
    default: [],
  },
  redisServerUrl: { ...forms.text('redis:6379, redis://…, rediss://… or redis+sentinel://….'), default: '' },
  connectionPoolSize: {
    ...forms.uint64('How many connections Istio kept; here one serves, as requests do not wait for each other.'),
    default: 0,
  },
  localFallback: {
    ...forms.flag(
      'While Redis is away each mixer counts by itself, at its part of the limits; else the handler fails.',
    ),
    default: false,
  },
});
type Params = Of<typeof params>;
type Quota = Required<NonNullable<Params['quotas']>[number]>;

function problems({ quotas = [], redisServerUrl = '' }: Params): readonly ParamsProblem[] {
  const found = [...quotaProblems(quotas)];
  if (redisServerUrl === '') found.push({ path: 'redisServerUrl', message: 'Must say where Redis is, as redis:6379.' });
  (quotas as readonly Quota[]).forEach((quota, i) => {
    const at = (field: string, message: string) => found.push({ path: `quotas[${i}].${field}`, message });
    const { maxAmount, validDuration, bucketDuration, rateLimitAlgorithm } = quota;
    if (maxAmount < 1) at('maxAmount', 'Must be 1 or more.');
    if (milliseconds(validDuration) < 1) at('validDuration', `Got ${validDuration}, expected at least 1ms.`);
    if (rateLimitAlgorithm === 'ROLLING_WINDOW' && milliseconds(bucketDuration) >= milliseconds(validDuration))
      at('bucketDuration', `Got ${bucketDuration}, expected less than the validDuration, ${validDuration}.`);
  });
  return found;
}

/** Limits by what they are said by: made once, not for each request. */
function limitsOf(quotas: readonly Quota[]): ReadonlyMap<object, Limit> {
  const limits = new Map<object, Limit>();
  for (const quota of quotas) {
    const windowMs = milliseconds(quota.validDuration);
    const algorithm = quota.rateLimitAlgorithm === 'ROLLING_WINDOW' ? 'SLIDING_WINDOW' : 'FIXED_WINDOW';
    limits.set(quota, { requests: quota.maxAmount, windowMs, algorithm });
    for (const override of (quota as Partial<Quota>).overrides ?? [])
      limits.set(override, { requests: override.maxAmount ?? 0, windowMs, algorithm });
  }
  return limits;
}

async function take(counters: Counters, hit: Omit<Hit, 'exact'>, now: number): Promise<Verdict> {
  const [verdict] = await counters.count([{ ...hit, exact: true }], now);
  if (!verdict) throw new Error('the store of counts gave no answer');
  return verdict;
}

/** Quotas that all mixers share (Istio 1.4's `redisquota`). */
export function redisquota(rim: AdapterRim): AdapterKind {
  return adapterKind<Params>({
    name: 'redisquota',
    templates: ['quota'],
    params,
    problems,
    make({ quotas: given = [], redisServerUrl = '', localFallback }, context: AdapterContext) {
      const quotas = given as readonly Quota[];
      const byName = quotasByName(quotas, context);
      const limits = limitsOf(quotas);
      const counters = rim.counters(redisServerUrl, context.warn);
      return {
        async quota(instance, { amount, bestEffort }): Promise<QuotaVerdict> {
          const quota = byName.get(instance.instance);
          const limit = quota && limits.get(limitOf(quota, instance, context));
          if (!limit) throw new Error(`there is no quota named '${instance.instance}'`);
          const key = `redisquota;${quotaKey(instance, context)}`;
          const first = await take(counters, { key, limit, hits: amount, localFallback }, context.now());
          if (first.allowed) return { granted: amount };
          const less = Math.min(amount, first.remaining);
          if (!bestEffort || less < 1) return { granted: 0, validMs: first.resetMs };
          const second = await take(counters, { key, limit, hits: less, localFallback }, context.now());
          return second.allowed ? { granted: less } : { granted: 0, validMs: second.resetMs };
        },
        close: () => counters.close(),
      };
    },
  });
}
