import { parseDuration } from '../duration.js';
import type { LimitDescriptorEntry, LimitMatch, RateLimitSpec } from '../policy/rate-limit.js';
import type { Scope } from '../validation/scope.js';
import { isDomain } from './addresses.js';
import { each } from './each.js';
import { checkHeaderName, checkLabels, checkRegex } from './field-checks.js';

/** What a schema cannot say of a RateLimit. */
export function checkRateLimit(spec: RateLimitSpec, scope: Scope): void {
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  if (spec.service && !isDomain(spec.service.host))
    scope.at('service', 'host').error(`${JSON.stringify(spec.service.host)} is not a DNS name`);
  each(spec.local, scope.at('local'), (limit, at) => {
    checkPeriod(limit.per, at.at('per'));
    checkMatch(limit.match, at.at('match'));
    checkHeaders(limit.headers, at.at('headers'));
    checkDescriptors(limit.descriptors, at.at('descriptors'));
  });
  each(spec.global, scope.at('global'), (limit, at) => {
    checkPeriod(limit.per, at.at('per'));
    checkMatch(limit.match, at.at('match'));
    checkHeaders(limit.headers, at.at('headers'));
    checkDescriptors(limit.descriptors, at.at('descriptors'));
    if (limit.domain !== undefined && !limit.descriptors?.length)
      at.at('domain').error('a domain of one’s own needs descriptors, by which the service finds the limit in it');
  });
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
    if (entry.fromHeader !== undefined) checkHeaderName(entry.fromHeader, at.at('fromHeader'));
  });
}
