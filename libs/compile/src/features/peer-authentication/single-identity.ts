import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { ActionSchema, RBAC_Action } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RBACSchema } from '@seine/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { UriSanInputSchema } from '@seine/envoy/envoy/extensions/matching/common_inputs/ssl/v3/ssl_inputs_pb.js';
import type { Matcher_MatcherList_PredicateSchema } from '@seine/envoy/xds/type/matcher/v3/matcher_pb.js';
import type { StringMatcherSchema } from '@seine/envoy/xds/type/matcher/v3/string_pb.js';
import { memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import { trustDomains } from './mutual-tls.js';

type Predicate = MessageInitShape<typeof Matcher_MatcherList_PredicateSchema>;
type Pattern = NonNullable<MessageInitShape<typeof StringMatcherSchema>['matchPattern']>;

export const singleIdentityName = 'seine.single_identity';

function uriSan(matchPattern: Pattern): Predicate {
  const input = { name: 'envoy.matching.inputs.uri_san', typedConfig: toAny(UriSanInputSchema, {}) };
  return {
    matchType: {
      case: 'singlePredicate',
      value: { input, matcher: { case: 'valueMatch', value: { matchPattern } } },
    },
  };
}

/**
 * What Envoy gives of a certificate with several URI names is all of them with commas between, which no SPIFFE ID has. The
 * slash at the end is of a name that is a trust domain's, and nobody's in it.
 */
const oneIdentity = uriSan({
  case: 'safeRegex',
  value: { regex: '[^,]*[^,/]', engineType: { case: 'googleRe2', value: {} } },
});

/** Of the mesh's trust domain, or of one of its aliases. */
function ofTheMesh(config: MeshConfig): Predicate {
  const prefixes = trustDomains(config).map((name) => uriSan({ case: 'prefix', value: `spiffe://${name}/` }));
  const [first] = prefixes;
  return first && prefixes.length === 1 ? first : { matchType: { case: 'orMatcher', value: { predicate: prefixes } } };
}

/**
 * Cuts off clients that show no certificate, or one that has not exactly one URI name: the validation context is content
 * when any of several fits, and rules would then hold for one identity or the other (X.509-SVID, 5.2: such a certificate
 * must be refused).
 */
export const singleIdentity = memo('singleIdentity', (config: MeshConfig): Filter => {
  const predicate: Predicate = {
    matchType: { case: 'andMatcher', value: { predicate: [ofTheMesh(config), oneIdentity] } },
  };
  const allow = { name: 'allow', typedConfig: toAny(ActionSchema, { name: 'one', action: RBAC_Action.ALLOW }) };
  const matchers = [{ predicate, onMatch: { onMatch: { case: 'action' as const, value: allow } } }];
  return create(FilterSchema, {
    name: singleIdentityName,
    configType: {
      case: 'typedConfig',
      value: toAny(RBACSchema, {
        statPrefix: 'single_identity.',
        matcher: { matcherType: { case: 'matcherList', value: { matchers } } },
      }),
    },
  });
});
