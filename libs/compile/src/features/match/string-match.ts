import { create } from '@bufbuild/protobuf';
import { type StringMatcher, StringMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/string_pb.js';
import type { StringMatch } from '@seine/istio';

/**
 * An Istio StringMatch as Envoy's. Undefined means that any value will do: nothing is stated, or the regex `*`, which
 * Istio has always read so although it is none. Regexes are RE2 and match the whole value.
 */
export function emitStringMatcher(match: StringMatch | undefined): StringMatcher | undefined {
  if (match?.exact !== undefined)
    return create(StringMatcherSchema, { matchPattern: { case: 'exact', value: match.exact } });
  if (match?.prefix) return create(StringMatcherSchema, { matchPattern: { case: 'prefix', value: match.prefix } });
  if (match?.regex && match.regex !== '*')
    return create(StringMatcherSchema, { matchPattern: { case: 'safeRegex', value: { regex: match.regex } } });
  return undefined;
}
