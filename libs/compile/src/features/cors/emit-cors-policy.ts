import type { Any } from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { CorsPolicySchema } from '@seine/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { type StringMatcher, StringMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/string_pb.js';
import type { CorsPolicy } from '@seine/istio';
import { istioMilliseconds } from '../connection-pool/istio-duration.js';
import { emitStringMatcher } from '../match/string-match.js';
import { fractionOfWholePercent } from '../routing/fraction.js';

/** The HTTP filter whose per-route configuration `emitCorsPolicy` is. */
export const corsFilter = 'envoy.filters.http.cors';

/**
 * `corsPolicy`. A preflight from another origin goes on to the service, unless `unmatchedPreflights: IGNORE`. The deprecated
 * `allowOrigin` is read where `allowOrigins` is empty.
 */
export function emitCorsPolicy(policy: CorsPolicy | undefined): Any | undefined {
  if (!policy) return undefined;
  return toAny(CorsPolicySchema, {
    allowOriginStringMatch: allowedOrigins(policy),
    allowMethods: (policy.allowMethods ?? []).join(','),
    allowHeaders: (policy.allowHeaders ?? []).join(','),
    exposeHeaders: (policy.exposeHeaders ?? []).join(','),
    maxAge: policy.maxAge === undefined ? '' : String(Math.trunc(istioMilliseconds(policy.maxAge) / 1000)),
    allowCredentials: policy.allowCredentials,
    filterEnabled: { defaultValue: fractionOfWholePercent(100) },
    forwardNotMatchingPreflights: policy.unmatchedPreflights !== 'IGNORE',
  });
}

function allowedOrigins(policy: CorsPolicy): StringMatcher[] {
  const origins = policy.allowOrigins ?? [];
  if (origins.length === 0)
    return (policy.allowOrigin ?? []).map((origin) =>
      create(StringMatcherSchema, { matchPattern: { case: 'exact', value: origin } }),
    );
  return origins.map((origin) => emitStringMatcher(origin) ?? anyOrigin());
}

function anyOrigin(): StringMatcher {
  return create(StringMatcherSchema, { matchPattern: { case: 'safeRegex', value: { regex: '.*' } } });
}
