import { type AdapterRim, makeAdapterKinds, PrometheusExposition, processRim } from '@seine/mixer-adapters';
import type { AdapterKind } from '@seine/mixer';
import { FallbackCounters, SharedCounters } from '@seine/rate-limit';
import { redisCounters } from '@seine/redis-counters';

export interface MixerAdapters {
  readonly kinds: readonly AdapterKind[];
  /** What handlers of `prometheus` count. */
  readonly exposition: PrometheusExposition;
}

export interface MixerAdaptersOptions {
  readonly rim?: Partial<AdapterRim> | undefined;
  /** Adapters of the user's own; they go before built-in ones of the same name. */
  readonly more?: readonly AdapterKind[] | undefined;
  /** How many mixers share counts. */
  readonly replicas?: number | undefined;
}

/** The adapters, with this process's own surroundings. */
export function mixerAdapters({ rim = {}, more = [], replicas = 1 }: MixerAdaptersOptions = {}): MixerAdapters {
  const exposition = rim.exposition ?? new PrometheusExposition();
  const builtIn = makeAdapterKinds(processRim({ counters: countersWith(replicas), exposition, ...rim }));
  // Who comes last is found by the name.
  return { kinds: [...builtIn, ...more], exposition };
}

/** Istio's redisquota names its Redis without a scheme. */
const countersWith =
  (replicas: number): AdapterRim['counters'] =>
  (url, warn) => {
    const counters = redisCounters({
      url: url.includes('://') ? url : `redis://${url}`,
      // The reason names Redis without its password.
      onDown: (reason) => warn(`cannot count in ${reason}`),
    });
    const shared = new FallbackCounters(new SharedCounters(counters, { replicas }), {
      replicas,
      onFallback: () => undefined,
    });
    return { count: (hits, now) => shared.count(hits, now), close: counters.close };
  };
