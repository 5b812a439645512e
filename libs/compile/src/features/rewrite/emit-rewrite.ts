import { create } from '@bufbuild/protobuf';
import type { RouteAction } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { RegexMatchAndSubstituteSchema } from '@seine/envoy/envoy/type/matcher/v3/regex_pb.js';
import type { HTTPRewrite } from '@seine/istio';

/**
 * The path part of `rewrite`: `uri` replaces what the match took (the prefix, or the whole path of an exact or regex match);
 * `uriRegexRewrite` substitutes and wins over `uri`. `authority` belongs to the host rewrite of header operations.
 */
export function emitPathRewrite(
  rewrite: HTTPRewrite | undefined,
): Pick<Partial<RouteAction>, 'prefixRewrite' | 'regexRewrite'> {
  const regex = rewrite?.uriRegexRewrite;
  if (regex?.match)
    return {
      regexRewrite: create(RegexMatchAndSubstituteSchema, {
        pattern: { regex: regex.match },
        substitution: regex.rewrite ?? '',
      }),
    };
  return rewrite?.uri ? { prefixRewrite: rewrite.uri } : {};
}
