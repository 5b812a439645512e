import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type RouteAction_HashPolicy,
  RouteAction_HashPolicySchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { LoadBalancerSettings } from '@seine/istio';
import { deepEqual } from '@seine/memo';
import { istioDuration } from '../connection-pool/istio-duration.js';
import type { ResolvedDestination } from '../routing/destination.js';
import { effectiveTrafficPolicy } from '../subsets/traffic-policy.js';

type ConsistentHash = NonNullable<LoadBalancerSettings['consistentHash']>;
type HashKey = MessageInitShape<typeof RouteAction_HashPolicySchema>['policySpecifier'];

/**
 * What requests are hashed by, for destinations that balance by consistent hash (`loadBalancer.consistentHash` of the
 * DestinationRule, the subset's or the port's first). The hash table itself is the cluster's.
 */
export function emitHashPolicies(destinations: readonly ResolvedDestination[]): RouteAction_HashPolicy[] {
  const keys: NonNullable<HashKey>[] = [];
  for (const { facts, subset, port } of destinations) {
    const hash = effectiveTrafficPolicy(facts?.rule, subset, port).loadBalancer?.consistentHash;
    const key = hash && hashKey(hash);
    if (key && !keys.some((known) => deepEqual(known, key))) keys.push(key);
  }
  return keys.map((policySpecifier) => create(RouteAction_HashPolicySchema, { policySpecifier }));
}

function hashKey(hash: ConsistentHash): HashKey {
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName } = hash;
  if (httpHeaderName) return { case: 'header', value: { headerName: httpHeaderName } };
  if (httpCookie) {
    const { name, path, ttl, attributes } = httpCookie;
    return {
      case: 'cookie',
      value: {
        name,
        path,
        ttl: ttl === undefined ? undefined : istioDuration(ttl),
        attributes: attributes?.map((attribute) => ({ name: attribute.name, value: attribute.value })),
      },
    };
  }
  if (useSourceIp) return { case: 'connectionProperties', value: { sourceIp: true } };
  return httpQueryParameterName ? { case: 'queryParameter', value: { name: httpQueryParameterName } } : undefined;
}
