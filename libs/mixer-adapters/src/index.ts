/** Mixer's built-in adapters: where checks are answered, and where telemetry goes. */
import type { AdapterKind } from '@seine/mixer';
import { denier } from './denier/denier.js';
import { list } from './list/list.js';
import { memquota } from './memquota/memquota.js';
import { noop } from './noop/noop.js';
import { prometheus } from './prometheus/prometheus.js';
import { rbac } from './rbac/rbac.js';
import { redisquota } from './redisquota/redisquota.js';
import { type AdapterRim, processRim } from './rim/rim.js';
import { stdio } from './stdio/stdio.js';

export { PrometheusExposition } from './prometheus/exposition.js';
export { type AdapterRim, processRim, type SharedCounts, type TextStream } from './rim/rim.js';

/** The built-in kinds at work with a rim of one's own. */
export function makeAdapterKinds(rim: AdapterRim): readonly AdapterKind[] {
  return [denier, list(rim), memquota, noop, prometheus(rim.exposition), rbac, redisquota(rim), stdio(rim)];
}

/** The built-in kinds, but that nothing can be counted in Redis. */
export const adapterKinds: readonly AdapterKind[] = makeAdapterKinds(processRim());
