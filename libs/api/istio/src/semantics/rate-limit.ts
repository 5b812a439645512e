import { parseDuration } from '../duration.js';
import type { GlobalLimit, LimitDescriptorEntry, LimitMatch, LocalLimit, RateLimitSpec } from '../policy/rate-limit.js';
import type { Scope } from '../validation/scope.js';
import { isDomain } from './addresses.js';
import { each } from './each.js';
import { checkHeaderName, checkLabels, checkRegex } from './field-checks.js';

/** What a schema cannot say of a RateLimit. */
export function checkRateLimit(spec: RateLimitSpec, scope: Scope): void {
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  if (spec.service && !isDomain(spec.service.host))
    scope.at('service', 'host').error(`${JSON.stringify(spec.service.host)} is not a DNS name`);
  each(spec.local, scope.at('local'), checkLimit);
  each(spec.global, scope.at('global'), (limit, at) => {
    checkLimit(limit, at);
    if (limit.domain !== undefined && !limit.descriptors?.length)
      at.at('domain').error('a domain of one’s own needs descriptors, by which the service finds the limit in it');
    if (
      limit.domain !== undefined &&
      limit.match &&
      !limit.descriptors?.some((entry) => entry.genericKey !== undefined)
    )
      at.at('match').error('needs a genericKey among the descriptors: the service gets it from requests that match');
  });
}

function checkLimit(limit: LocalLimit | GlobalLimit, scope: Scope): void {
  checkPeriod(limit.per, scope.at('per'));
  checkMatch(limit.match, scope.at('match'));
  checkHeaders(limit.headers, scope.at('headers'));
  checkDescriptors(limit.descriptors, scope.at('descriptors'));
  if (limit.statusCode !== undefined && !knownStatus(limit.statusCode))
    scope.at('statusCode').error(`${limit.statusCode} is not a status that Envoy answers with; 429 and 503 are usual`);
}

/** The errors of envoy.type.v3.StatusCode. */
function knownStatus(code: number): boolean {
  const others = [421, 422, 423, 424, 426, 428, 429, 431, 510, 511];
  return (code >= 400 && code <= 417) || (code >= 500 && code <= 508) || others.includes(code);
}

/** Envoy's token buckets are filled no more often than that, ms. */
const shortestPeriod = 50;

function checkPeriod(per: string, scope: Scope): void {
  const milliseconds = parseDuration(per);
  if (milliseconds !== undefined && milliseconds < shortestPeriod) scope.error(`must be ${shortestPeriod}ms at least`);
}

function checkHeaders(headers: Readonly<Record<string, unknown>> | undefined, scope: Scope): void {
  for (const name of Object.keys(headers ?? {})) checkHeaderName(name, scope.at(name));
}

function checkMatch(match: LimitMatch | undefined, scope: Scope): void {
  checkHeaders(match?.headers, scope.at('headers'));
  if (match?.path?.regex !== undefined) checkRegex(match.path.regex, scope.at('path', 'regex'));
  for (const [name, value] of Object.entries(match?.headers ?? {}))
    if (value.regex !== undefined) checkRegex(value.regex, scope.at('headers', name, 'regex'));
}

function checkDescriptors(descriptors: readonly LimitDescriptorEntry[] | undefined, scope: Scope): void {
  each(descriptors, scope, (entry, at) => {
    const sources = Object.entries(entry).filter(([field, value]) => field !== 'key' && value !== false);
    if (sources.length === 0)
      at.error('must say what the value is made of: fromHeader, fromPath, remoteAddress, genericKey or the like');
    if (entry.remoteAddress && entry.key !== undefined)
      at.at('key').error('cannot be chosen for remoteAddress: Envoy calls it remote_address');
    if (entry.fromHeader !== undefined) checkHeaderName(entry.fromHeader, at.at('fromHeader'));
  });
}
