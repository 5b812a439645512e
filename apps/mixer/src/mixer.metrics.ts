import type { DescriptorStatus, LimitAnswer } from '@seine/rate-limit';
import { announceBuild } from '@seine/nest';
import { Counter, type Registry } from 'prom-client';

/** Names of envoyproxy/ratelimit, whose dashboards people have; the limit is a label. */
const names = {
  total: 'ratelimit_service_rate_limit_total_hits',
  within: 'ratelimit_service_rate_limit_within_limit',
  over: 'ratelimit_service_rate_limit_over_limit',
  shadow: 'ratelimit_service_rate_limit_shadow_mode',
} as const;

/** So many limits have counters of their own; more share the one of `other`. */
const maxLimits = 5000;

/** What mixer has decided, for Prometheus. */
export class MixerMetrics {
  readonly #counters: Readonly<Record<keyof typeof names, Counter>>;
  readonly #limits = new Set<string>();

  constructor(registry: Registry) {
    announceBuild(registry, 'mixer');
    const counter = (name: string, help: string): Counter =>
      new Counter({ name, help, labelNames: ['limit'], registers: [registry] });
    this.#counters = {
      total: counter(names.total, 'How often a limit was asked.'),
      within: counter(names.within, 'How often there was room.'),
      over: counter(names.over, 'How often there was none.'),
      shadow: counter(names.shadow, 'How often there was none, and it did not matter.'),
    };
  }

  readonly decided = ({ statuses }: LimitAnswer): void => {
    for (const status of statuses) if (status.rule) this.#count(status, status.rule.path);
  };

  #count({ overLimit, verdict }: DescriptorStatus, path: string): void {
    const limit = this.#known(path);
    this.#counters.total.inc({ limit });
    if (verdict?.allowed === false) this.#counters[overLimit ? 'over' : 'shadow'].inc({ limit });
    else this.#counters.within.inc({ limit });
  }

  #known(path: string): string {
    if (this.#limits.has(path)) return path;
    if (this.#limits.size >= maxLimits) return 'other';
    this.#limits.add(path);
    return path;
  }
}
