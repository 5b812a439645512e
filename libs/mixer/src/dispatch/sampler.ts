import { textOf } from '../attributes/text-of.js';
import type { AttributeBag } from '../attributes/value-type.js';
import type { PolicyRule, PolicySampling } from '../policy/policy.js';

/** How far a rule is in its period. */
interface Period {
  readonly end: number;
  seen: number;
}

/** Draws which reports of a rule are handed on. */
export class Sampler {
  /** By name, so that a change of other rules does not begin the period again; one entry a rule, gone with its sampling. */
  readonly #periods = new Map<string, Period>();

  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
  ) {}

  takes(rule: PolicyRule, bag: AttributeBag): boolean {
    const { sampling } = rule;
    if (!sampling) return true;
    const { random, rateLimit } = sampling;
    if (random && !this.#isDrawn(random, rule.name, bag)) return false;
    return !rateLimit || this.#isInRate(rateLimit, rule.name);
  }

  #isDrawn(
    { by, share, independent }: NonNullable<PolicySampling['random']>,
    name: string,
    bag: AttributeBag,
  ): boolean {
    const value = by?.evaluate(bag);
    const drawn =
      value === undefined || value === '' ? this.random() : spread(`${independent ? `${name}/` : ''}${textOf(value)}`);
    return drawn < share;
  }

  #isInRate({ periodMs, unsampled, rate }: NonNullable<PolicySampling['rateLimit']>, name: string): boolean {
    const now = this.now();
    let period = this.#periods.get(name);
    if (!period || now >= period.end) {
      this.#forget(now);
      this.#periods.set(name, (period = { end: now + periodMs, seen: 0 }));
    }
    period.seen++;
    if (period.seen <= unsampled) return true;
    return rate > 0 && (period.seen - unsampled) % rate === 0;
  }

  /** Rules that are gone leave nothing behind. */
  #forget(now: number): void {
    if (this.#periods.size < manyPeriods) return;
    for (const [name, { end }] of this.#periods) if (now >= end) this.#periods.delete(name);
  }
}

const manyPeriods = 1000;

/** A number from 0 to 1 that is the same for the same text, and spread evenly over texts (FNV-1a, with a last mixing). */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
