import { forms, type Of } from '@seine/istio';
import type { ParamsProblem } from '@seine/mixer';

export const bucketsSchema = forms.message(
  'Buckets of a distribution.',
  {
    linearBuckets: forms.message('Of equal width.', {
      numFiniteBuckets: forms.integer('How many.', { minimum: 1, maximum: 200 }),
      width: forms.decimal('Of each.'),
      offset: forms.decimal('Where the first begins.'),
    }),
    exponentialBuckets: forms.message('Each wider than the one before.', {
      numFiniteBuckets: forms.integer('How many.', { minimum: 1, maximum: 200 }),
      growthFactor: forms.decimal('By how much; above 1.'),
      scale: forms.decimal('Where the first ends; above 0.'),
    }),
    explicitBuckets: forms.message('As they are said.', {
      bounds: forms.list(forms.decimal('Upper bound.'), 'Ascending.', { maxItems: 200 }),
    }),
  },
  { oneofs: [['linearBuckets', 'exponentialBuckets', 'explicitBuckets']] },
);
export type Buckets = Of<typeof bucketsSchema>;

/** Prometheus' own. */
const usualBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Upper bounds, without infinity; one more than there are finite buckets, as Istio made them. */
export function boundsOf({ linearBuckets, exponentialBuckets, explicitBuckets }: Buckets = {}): readonly number[] {
  if (explicitBuckets) return explicitBuckets.bounds ?? [];
  if (linearBuckets) {
    const { numFiniteBuckets = 0, width = 0, offset = 0 } = linearBuckets;
    return Array.from({ length: numFiniteBuckets + 1 }, (_, i) => offset + i * width);
  }
  if (exponentialBuckets) {
    const { numFiniteBuckets = 0, growthFactor = 0, scale = 0 } = exponentialBuckets;
    return Array.from({ length: numFiniteBuckets + 1 }, (_, i) => scale * growthFactor ** i);
  }
  return usualBounds;
}

/** What is wrong with buckets: their bounds must ascend. */
export function bucketProblems(buckets: Buckets | undefined, path: string): readonly ParamsProblem[] {
  if (!buckets) return [];
  const { linearBuckets, exponentialBuckets } = buckets;
  if (Object.keys(buckets).length > 1)
    return [{ path, message: 'Only one of linearBuckets, exponentialBuckets and explicitBuckets may be set.' }];
  if (linearBuckets && (linearBuckets.width ?? 0) <= 0)
    return [{ path: `${path}.linearBuckets.width`, message: 'Must be above 0.' }];
  if (exponentialBuckets && (exponentialBuckets.growthFactor ?? 0) <= 1)
    return [{ path: `${path}.exponentialBuckets.growthFactor`, message: 'Must be above 1.' }];
  if (exponentialBuckets && (exponentialBuckets.scale ?? 0) <= 0)
    return [{ path: `${path}.exponentialBuckets.scale`, message: 'Must be above 0.' }];
  const bounds = boundsOf(buckets);
  const wrong = bounds.findIndex((bound, i) => i > 0 && bound <= (bounds[i - 1] ?? bound));
  if (wrong < 0) return [];
  return [{ path: `${path}.explicitBuckets.bounds[${wrong}]`, message: `Got ${bounds[wrong]}: bounds must ascend.` }];
}
