import { rpcStatus } from '@seine/mixer';
import { Counter, type Registry } from 'prom-client';

/** What becomes of checks, for Prometheus; under Mixer's names where it had them. Counting is adding one to a number. */
export class CheckMetrics {
  cacheHits = 0;
  cacheMisses = 0;
  /** Checks that an adapter did not answer, and that passed because their rule says so. */
  passedUnchecked = 0;
  readonly #decisions = new Map<number, number>();

  constructor(registry: Registry) {
    const count = (name: string, help: string, read: () => number): void => {
      new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    };
    count('mixer_checkcache_cache_hits_total', 'Verdicts that were known already.', () => this.cacheHits);
    count('mixer_checkcache_cache_misses_total', 'Verdicts that an adapter was asked for.', () => this.cacheMisses);
    count(
      'mixer_check_passed_unchecked_total',
      'Verdicts that an adapter did not give, of rules whose annotation lets requests pass then.',
      () => this.passedUnchecked,
    );
    const decisions = this.#decisions;
    new Counter({
      name: 'mixer_check_decisions_total',
      help: 'Checks by what came of them, a name of google.rpc.Code.',
      labelNames: ['code'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [code, times] of decisions) this.inc({ code: rpcStatus(code).name }, times);
      },
    });
  }

  /** @param code google.rpc.Code */
  decided(code: number): void {
    this.#decisions.set(code, (this.#decisions.get(code) ?? 0) + 1);
  }
}
