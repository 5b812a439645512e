/** Mixer's built-in adapters: where checks are answered, and where telemetry goes. */
import type { AdapterKind } from '@seine/mixer';
import { denier } from './denier/denier.js';
import { list } from './list/list.js';
import { memquota } from './memquota/memquota.js';
import { type AdapterRim, processRim } from './rim/rim.js';
import { stdio } from './stdio/stdio.js';

export { type AdapterRim, processRim, type TextStream } from './rim/rim.js';

/** The built-in kinds at work with a rim of one's own. */
export function makeAdapterKinds(rim: AdapterRim): readonly AdapterKind[] {
  return [denier, list(rim), memquota, stdio(rim)];
}

/** The built-in kinds. */
export const adapterKinds: readonly AdapterKind[] = makeAdapterKinds(processRim());
