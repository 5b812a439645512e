import type { Counters, Hit } from '../counting/counters.js';
import type { Limit, Verdict } from '../counting/limit.js';
import { type Descriptor, findLimit, type RuleLimit, type RuleTree } from './rule-tree.js';

/** What a proxy asks (envoy.service.ratelimit.v3.RateLimitRequest). */
export interface LimitRequest {
  readonly domain: string;
  readonly descriptors: readonly (Descriptor & {
    /** A limit of the route's own, before any rule. */
    readonly override?: Limit | undefined;
    /** How much this descriptor counts; absent = as `hits`. */
    readonly hits?: number | undefined;
  })[];
  /** How much a request counts; 0 counts as 1. */
  readonly hits: number;
}

/** What is answered of one descriptor. */
export interface DescriptorStatus {
  readonly overLimit: boolean;
  /** The limit that was hit; absent = none is meant for it. */
  readonly rule: RuleLimit | undefined;
  /** Absent where nothing was counted. */
  readonly verdict: Verdict | undefined;
}

export interface LimitAnswer {
  readonly overLimit: boolean;
  /** In the order of the descriptors. */
  readonly statuses: readonly DescriptorStatus[];
}

/** A request that cannot be judged; gRPC's INVALID_ARGUMENT. */
export class LimitRequestError extends Error {
  override readonly name = 'LimitRequestError';
}

export interface DecideOptions {
  readonly rules: RuleTree;
  readonly counters: Counters;
  /** No limit is in the way; what would have been is in the statuses' verdicts. */
  readonly shadow?: boolean | undefined;
  /** A limit that stands before the rules, such as one that came with the call. */
  readonly limitOf?: ((descriptor: Descriptor) => RuleLimit | undefined) | undefined;
}

/**
 * Counts a request at every limit that its descriptors hit; over the limit at one is over the limit (Envoy docs,
 * "Rate limit service").
 * @param now milliseconds since 1970
 * @throws LimitRequestError (rejects) without a domain or descriptors; what the counters reject with
 */
export async function decide(request: LimitRequest, options: DecideOptions, now: number): Promise<LimitAnswer> {
  const { domain, descriptors } = request;
  if (domain === '') throw new LimitRequestError('a rate limit request must name its domain');
  if (descriptors.length === 0) throw new LimitRequestError('a rate limit request must have a descriptor');
  const found = descriptors.map((descriptor) => ruleOf(domain, descriptor, options));
  const replaced = new Set(found.flatMap((rule) => rule?.replaces ?? []));
  const rules = found.map((rule) => (rule && replaced.has(rule.name) ? undefined : rule));

  const hits: Hit[] = [];
  const places: number[] = [];
  for (const [i, rule] of rules.entries()) {
    const descriptor = descriptors[i];
    if (!rule || rule.limit === 'unlimited' || !descriptor) continue;
    const key = counterKey(domain, descriptor, rule.limit);
    const { limit, exact, localFallback } = rule;
    hits.push({ key, limit, hits: (descriptor.hits ?? request.hits) || 1, exact, localFallback });
    places.push(i);
  }
  const verdicts = hits.length === 0 ? [] : await options.counters.count(hits, now);
  const verdictOf = new Map(places.map((place, i) => [place, verdicts[i]]));
  const statuses = rules.map((rule, i): DescriptorStatus => {
    const verdict = verdictOf.get(i);
    const counts = !(options.shadow ?? false) && !(rule?.shadow ?? false);
    return { overLimit: counts && verdict?.allowed === false, rule, verdict };
  });
  return { overLimit: statuses.some(({ overLimit }) => overLimit), statuses };
}

function ruleOf(
  domain: string,
  descriptor: LimitRequest['descriptors'][number],
  { rules, limitOf }: DecideOptions,
): RuleLimit | undefined {
  const { override } = descriptor;
  if (override)
    return {
      limit: override,
      name: '',
      replaces: [],
      shadow: false,
      exact: false,
      localFallback: false,
      path: domain,
    };
  return limitOf?.(descriptor) ?? findLimit(rules, domain, descriptor);
}

/**
 * Where a descriptor is counted. Its limit's window belongs to it: one that was changed begins anew. Lengths keep apart what
 * would otherwise be written alike.
 */
function counterKey(domain: string, { entries }: Descriptor, { windowMs, algorithm }: Limit): string {
  const parts = [domain, ...entries.flatMap(({ key, value }) => [key, value])];
  return `${algorithm[0]}${windowMs}|${parts.map((part) => `${part.length}:${part}`).join('')}`;
}
