import type { StringMatch } from '../networking/string-match.js';
import { checkRegex, isHeaderName } from './field-checks.js';
import type { Scope } from '../validation/scope.js';

/** Envoy takes an empty prefix for paths only (envoy.type.matcher.v3.StringMatcher, prefix). */
export function checkStringMatch(match: StringMatch | undefined, scope: Scope, emptyPrefix = false): void {
  if (match?.prefix === '' && !emptyPrefix) scope.at('prefix').error('must not be empty');
  if (match?.regex !== undefined) checkRegex(match.regex, scope.at('regex'));
}

/** Headers whose names pseudo-headers have: Envoy would never find them under these. */
const claim = /^@request\.auth\.claims[.[].+$/;

/** Conditions by header name; `@request.auth.claims` stands for claims of a token. */
export function checkHeaderMatches(
  matches: Readonly<Record<string, StringMatch>> | undefined,
  scope: Scope,
  options: { readonly presence: boolean } = { presence: false },
): void {
  for (const [name, match] of Object.entries(matches ?? {})) {
    if (!isHeaderName(name) && !claim.test(name) && !name.startsWith(':'))
      scope.error(`${JSON.stringify(name)} is not a header name`);
    // No RE2 expression, but what Istio reads as "the header is there".
    if (!(options.presence && match.regex === '*')) checkStringMatch(match, scope.at(name));
  }
}
