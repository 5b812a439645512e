import { type AdapterRim, makeAdapterKinds, PrometheusExposition, processRim } from '@seine/mixer-adapters';
import type { AdapterKind } from '@seine/mixer';
import { redisCounters } from '@seine/redis-counters';

export interface MixerAdapters {
  readonly kinds: readonly AdapterKind[];
  /** What handlers of `prometheus` count. */
  readonly exposition: PrometheusExposition;
}

/** The built-in adapters, with this process's own surroundings. */
export function mixerAdapters(over: Partial<AdapterRim> = {}): MixerAdapters {
  const exposition = over.exposition ?? new PrometheusExposition();
  const kinds = makeAdapterKinds(processRim({ counters: countersOf, exposition, ...over }));
  return { kinds, exposition };
}

/** Istio's redisquota names its Redis without a scheme. */
const countersOf: AdapterRim['counters'] = (url, warn) =>
  redisCounters({
    url: url.includes('://') ? url : `redis://${url}`,
    onDown: (reason) => warn(`cannot count in ${url}: ${reason}`),
  });
