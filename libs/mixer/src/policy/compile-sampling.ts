import { type MixerRuleSpec, parseDuration } from '@seine/istio';
import type { Vocabulary } from '../attributes/value-type.js';
import type { PolicySampling } from './policy.js';
import type { Problems } from './problems.js';

/** What is drawn by where a rule does not say. */
const drawnBy = 'request.id | request.headers["x-request-id"] | ""';

/** Undefined where all reports are handed on. */
export function compileSampling(
  { sampling }: MixerRuleSpec,
  vocabulary: Vocabulary,
  problems: Problems,
): PolicySampling | undefined {
  const random = sampling?.random && randomOf(sampling.random, vocabulary, problems);
  const rateLimit = sampling?.rateLimit && rateLimitOf(sampling.rateLimit);
  return random || rateLimit ? { ...(random && { random }), ...(rateLimit && { rateLimit }) } : undefined;
}

type Sampling = NonNullable<MixerRuleSpec['sampling']>;

function randomOf(
  { attributeExpression, percentSampled, useIndependentRandomness }: NonNullable<Sampling['random']>,
  vocabulary: Vocabulary,
  problems: Problems,
): NonNullable<PolicySampling['random']> {
  const text = attributeExpression || drawnBy;
  const by = problems.expression('spec.sampling.random.attributeExpression', text, vocabulary, ['STRING', 'INT64']);
  const { numerator = 0, denominator } = percentSampled ?? {};
  return {
    by,
    share: numerator / (denominator === 'TEN_THOUSAND' ? 10_000 : 100),
    independent: useIndependentRandomness ?? false,
  };
}

/** A second, as where Mixer was told no period. */
const defaultPeriodMs = 1000;

function rateLimitOf({
  samplingDuration = '',
  maxUnsampledEntries = 0,
  samplingRate = 0,
}: NonNullable<Sampling['rateLimit']>): NonNullable<PolicySampling['rateLimit']> {
  return {
    periodMs: parseDuration(samplingDuration) ?? defaultPeriodMs,
    unsampled: maxUnsampledEntries,
    rate: samplingRate,
  };
}
