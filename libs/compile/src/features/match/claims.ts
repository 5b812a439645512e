import { create } from '@bufbuild/protobuf';
import { type MetadataMatcher, MetadataMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/metadata_pb.js';
import { type ValueMatcher, ValueMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/value_pb.js';
import type { StringMatch } from '@seine/istio';
import { emitStringMatcher } from './string-match.js';

const claimsPrefix = '@request.auth.claims';

/**
 * A "header" named `@request.auth.claims.group.sub` or `@request.auth.claims[group][sub]` tests a claim of the request's
 * verified JWT, which Envoy's jwt_authn filter leaves in dynamic metadata. A claim may be a string or a list of strings.
 * Undefined: the name is a plain header's.
 */
export function emitClaimMatcher(
  name: string,
  match: StringMatch | undefined,
  invert: boolean,
): MetadataMatcher | undefined {
  const claims = claimPath(name);
  if (!claims) return undefined;
  return create(MetadataMatcherSchema, {
    filter: 'envoy.filters.http.jwt_authn',
    path: ['payload', ...claims].map((key) => ({ segment: { case: 'key' as const, value: key } })),
    value: claimValue(match),
    invert,
  });
}

function claimPath(name: string): readonly string[] | undefined {
  if (!name.toLowerCase().startsWith(claimsPrefix)) return undefined;
  const rest = name.slice(claimsPrefix.length);
  const bracketed = [...rest.matchAll(/\[([^[\]]+)\]/g)].flatMap((found) => found[1] ?? []);
  const path = rest.startsWith('[') ? bracketed : rest.split('.').filter((part) => part !== '');
  return path.length > 0 ? path : undefined;
}

function claimValue(match: StringMatch | undefined): ValueMatcher {
  const value = emitStringMatcher(match);
  if (!value) return create(ValueMatcherSchema, { matchPattern: { case: 'presentMatch', value: true } });
  const single = create(ValueMatcherSchema, { matchPattern: { case: 'stringMatch', value } });
  const listed = create(ValueMatcherSchema, {
    matchPattern: { case: 'listMatch', value: { matchPattern: { case: 'oneOf', value: single } } },
  });
  return create(ValueMatcherSchema, { matchPattern: { case: 'orMatch', value: { valueMatchers: [single, listed] } } });
}
