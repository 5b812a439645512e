import type { KindInfo } from '@seine/k8s';
import { RateLimitSchema } from '../policy/rate-limit.js';
import { age, kindsOf } from './istio-kinds.js';

/** Kinds of Seine's own, for what Istio has no kind for. */
export const seineKinds: readonly KindInfo[] = kindsOf(
  'policy.seine.dev',
  [
    {
      kind: 'RateLimit',
      spec: RateLimitSchema,
      specRequired: true,
      versions: ['v1alpha1*'],
      shortNames: ['rl'],
      actedOn: true,
      printerColumns: [age],
    },
  ],
  ['seine'],
);
