import type { Algorithm } from '../counting/limit.js';
import type { Descriptor, RuleLimit } from './rule-tree.js';

/** The domain of the `RateLimit`s of policy.seine.dev that name none. */
export const ownDomain = 'policy.seine.dev';

const form = /^"((?:[^"\\]|\\.)+)"((?:;[a-z]+(?:=[a-zA-Z_0-9.]+)?)*)$/;
const algorithms: Readonly<Record<string, Algorithm>> = {
  fixed: 'FIXED_WINDOW',
  sliding: 'SLIDING_WINDOW',
  bucket: 'TOKEN_BUCKET',
};

/** The limit that came with a call, and its name. */
export interface OwnLimit extends RuleLimit {
  readonly name: string;
}

/**
 * Reads the metadata `ratelimit-policy` by which a proxy brings its limit along: `"default/api/0";q=2;w=5`, a name,
 * requests and seconds, with `exact`, `local` and `a=fixed|sliding|bucket` behind (draft-ietf-httpapi-ratelimit-headers).
 * Undefined where it is none.
 */
export function parseRateLimitPolicy(text: string | undefined): OwnLimit | undefined {
  const [, quoted, rest = ''] = form.exec(text ?? '') ?? [];
  if (quoted === undefined) return undefined;
  const name = quoted.replaceAll(/\\(.)/g, '$1');
  const parameters = new Map(rest.split(';').map((one) => one.split('=', 2) as [string, string | undefined]));
  const requests = Number(parameters.get('q'));
  const windowMs = Number(parameters.get('w')) * 1000;
  const algorithm = algorithms[parameters.get('a') ?? 'fixed'];
  if (!Number.isInteger(requests) || requests < 0 || !(windowMs > 0) || !algorithm) return undefined;
  return {
    limit: { requests, windowMs, algorithm },
    name,
    replaces: [],
    shadow: false,
    exact: parameters.has('exact'),
    localFallback: parameters.has('local'),
    path: `${ownDomain}.${name}`,
  };
}

/** Whether a descriptor is one that the limit is about: its first entry names it. */
export function isAbout(limit: OwnLimit, { entries }: Descriptor): boolean {
  const [first] = entries;
  return first?.key === 'rate_limit' && first.value === limit.name;
}
