import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { ActionSchema, RBAC_Action } from '@seine/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { type Filter, FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RBACSchema } from '@seine/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { UriSanInputSchema } from '@seine/envoy/envoy/extensions/matching/common_inputs/ssl/v3/ssl_inputs_pb.js';

/**
 * What Envoy gives of a certificate with several URI names is all of them with commas between, which no SPIFFE ID has.
 * The slash keeps out what names a trust domain and nobody in it.
 */
const oneIdentity = 'spiffe://[^/,]+/[^,]+';

export const singleIdentityName = 'seine.single_identity';

/**
 * Cuts off clients that show no certificate, or one that has not exactly one URI name: the validation context is content when any of them
 * fits, and rules would then hold for one identity or the other (X.509-SVID, 5.2: such a certificate must be refused).
 */
export const singleIdentity: Filter = create(FilterSchema, {
  name: singleIdentityName,
  configType: {
    case: 'typedConfig',
    value: toAny(RBACSchema, {
      statPrefix: 'single_identity.',
      matcher: {
        matcherType: {
          case: 'matcherList',
          value: {
            matchers: [
              {
                predicate: {
                  matchType: {
                    case: 'singlePredicate',
                    value: {
                      input: { name: 'envoy.matching.inputs.uri_san', typedConfig: toAny(UriSanInputSchema, {}) },
                      matcher: {
                        case: 'valueMatch',
                        value: {
                          matchPattern: {
                            case: 'safeRegex',
                            value: { regex: oneIdentity, engineType: { case: 'googleRe2', value: {} } },
                          },
                        },
                      },
                    },
                  },
                },
                onMatch: {
                  onMatch: {
                    case: 'action',
                    value: {
                      name: 'allow',
                      typedConfig: toAny(ActionSchema, { name: 'one', action: RBAC_Action.ALLOW }),
                    },
                  },
                },
              },
            ],
          },
        },
      },
    }),
  },
});
