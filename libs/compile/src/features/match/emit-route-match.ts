import { create } from '@bufbuild/protobuf';
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPMatchRequest, StringMatch } from '@seine/istio';
import { emitClaimMatcher } from './claims.js';
import { emitStringMatcher } from './string-match.js';

type PathSpecifier = RouteMatch['pathSpecifier'];

/**
 * One `match` of an HTTP route; its conditions must all hold. Without a match every request is taken. What Envoy cannot
 * test (see concernsClient) is not looked at here.
 */
export function emitRouteMatch(match: HTTPMatchRequest | undefined): RouteMatch {
  if (!match) return create(RouteMatchSchema, { pathSpecifier: { case: 'prefix', value: '/' } });
  const headers = sortedEntries(match.headers).filter(([name]) => !emitClaimMatcher(name, undefined, false));
  const without = sortedEntries(match.withoutHeaders).filter(([name]) => !emitClaimMatcher(name, undefined, false));
  return create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match.uri),
    caseSensitive: !match.ignoreUriCase,
    headers: [
      ...headers.map(([name, value]) => headerMatcher(name, value)),
      ...without.map(([name, value]) => absentHeaderMatcher(name, value)),
      ...pseudoHeader(':method', match.method),
      ...pseudoHeader(':authority', match.authority),
      ...pseudoHeader(':scheme', match.scheme),
    ],
    queryParameters: sortedEntries(match.queryParams).map(([name, value]) => queryParameterMatcher(name, value)),
    dynamicMetadata: [
      ...sortedEntries(match.headers).flatMap(([name, value]) => emitClaimMatcher(name, value, false) ?? []),
      ...sortedEntries(match.withoutHeaders).flatMap(([name, value]) => emitClaimMatcher(name, value, true) ?? []),
    ],
  });
}

/**
 * Whether a match takes every request, so that no route after it is ever reached: path prefix `/` (or regex `.*`) and no other
 * condition.
 */
export function isCatchAll(match: RouteMatch | undefined): boolean {
  if (!match || match.headers.length + match.queryParameters.length + match.dynamicMetadata.length > 0) return false;
  const path = match.pathSpecifier;
  if (path.case === 'prefix') return path.value === '/' || path.value === '';
  return path.case === 'safeRegex' && path.value.regex === '.*';
}

/** Maps have no order; sorting makes equal config give equal bytes. */
function sortedEntries<T>(map: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function pathSpecifier(uri: StringMatch | undefined): PathSpecifier {
  const matcher = emitStringMatcher(uri)?.matchPattern;
  if (matcher?.case === 'exact') return { case: 'path', value: matcher.value };
  if (matcher?.case === 'safeRegex') return { case: 'safeRegex', value: matcher.value };
  return { case: 'prefix', value: matcher?.case === 'prefix' ? matcher.value : '/' };
}

function headerMatcher(name: string, match: StringMatch | undefined): HeaderMatcher {
  const value = emitStringMatcher(match);
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: value ? { case: 'stringMatch', value } : { case: 'presentMatch', value: true },
  });
}

/** The header must not have the value. A request without it passes: an absent header counts as an empty one. */
function absentHeaderMatcher(name: string, match: StringMatch | undefined): HeaderMatcher {
  const matcher = headerMatcher(name, match);
  matcher.invertMatch = true;
  matcher.treatMissingHeaderAsEmpty = matcher.headerMatchSpecifier.case === 'stringMatch';
  return matcher;
}

function pseudoHeader(name: string, match: StringMatch | undefined): HeaderMatcher[] {
  return match ? [headerMatcher(name, match)] : [];
}

function queryParameterMatcher(name: string, match: StringMatch | undefined): QueryParameterMatcher {
  const value = emitStringMatcher(match);
  return create(QueryParameterMatcherSchema, {
    name,
    queryParameterMatchSpecifier: value ? { case: 'stringMatch', value } : { case: 'presentMatch', value: true },
  });
}
