import { type Counters, FallbackCounters, MemoryCounters, SharedCounters } from '@seine/rate-limit';
import type { RedisOptions } from '@seine/redis';
import { countersAt } from '@seine/redis-counters';
import { Counter, Gauge, type Registry } from 'prom-client';

export interface LimitStoreOptions {
  /** Where counts are kept that several mixers share; absent = `store`. */
  readonly redis?: RedisOptions | undefined;
  /** Counts of another kind; absent = in this process alone. */
  readonly store?: Counters | undefined;
  /** How many mixers share them. */
  readonly replicas: number;
  readonly onProblem: (message: string) => void;
  readonly onRecovered: (message: string) => void;
}

/** The counts of rate limits. */
export interface LimitStore {
  readonly counters: Counters;
  readonly close: () => void;
}

/** Redis being away does not make a mixer unready: it goes on as the limits say, and so would every other one. */
export function limitStore(options: LimitStoreOptions, registry: Registry): LimitStore {
  const { redis, store, replicas, onProblem, onRecovered } = options;
  if (!redis && !store) return { counters: new MemoryCounters(), close: noop };
  const local = new Counter({
    name: 'seine_mixer_local_fallback_hits_total',
    help: 'Hits that were counted by this mixer alone, as the shared counts were away.',
    registers: [registry],
  });
  const shared = (counters: Counters): Counters =>
    new FallbackCounters(new SharedCounters(counters, { replicas }), {
      replicas,
      onFallback: (hits) => local.inc(hits),
    });
  if (!redis) return { counters: store ? shared(store) : new MemoryCounters(), close: noop };
  const counters = countersAt(redis, undefined, {
    onUp: () => onRecovered('requests are counted in Redis'),
    onDown: (reason) => onProblem(`requests cannot be counted in Redis, and limits go on as they say: ${reason}`),
  });
  const { connection } = counters;
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers: [registry], collect: () => made.set(read()) });
  };
  gauge('seine_mixer_redis_up', 'Whether Redis can be asked.', () => (connection.isUp ? 1 : 0));
  gauge('seine_mixer_redis_pending_calls', 'Calls to Redis under way.', () => connection.pending);
  const failed = new Counter({
    name: 'seine_mixer_redis_failed_decisions_total',
    help: 'Decisions that Redis was asked for, or was to be asked for, and did not give.',
    registers: [registry],
  });
  const counting: Counters = {
    count: async (hits, now) => {
      try {
        return await counters.count(hits, now);
      } catch (error) {
        failed.inc();
        throw error;
      }
    },
  };
  return { counters: shared(counting), close: counters.close };
}

function noop(): void {
  // Nothing is held.
}
