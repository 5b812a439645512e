import { create } from '@bufbuild/protobuf';
import {
  type RouteAction_RequestMirrorPolicy,
  RouteAction_RequestMirrorPolicySchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { FractionalPercent } from '@seine/envoy/envoy/type/v3/percent_pb.js';
import type { Destination, HTTPRoute } from '@seine/istio';
import { resolveDestination, type RouteScope } from '../routing/destination.js';
import { fractionOfPercent, fractionOfWholePercent } from '../routing/fraction.js';

/** `mirror` with its percentage, then `mirrors`: copies of requests whose answers nobody waits for. The Host stays as it is. */
export function emitMirrors(
  route: Pick<HTTPRoute, 'mirror' | 'mirrors' | 'mirrorPercent' | 'mirrorPercentage'>,
  scope: RouteScope,
): RouteAction_RequestMirrorPolicy[] {
  const single = route.mirror ? mirrorPolicy(route.mirror, mirrorFraction(route), scope) : [];
  const several = (route.mirrors ?? []).flatMap(({ destination, percentage }) =>
    mirrorPolicy(destination, fractionOfPercent(percentage ? (percentage.value ?? 0) : 100), scope),
  );
  return [...single, ...several];
}

/** Nothing stated means every request; a stated 0 none. */
function mirrorFraction(route: Pick<HTTPRoute, 'mirrorPercent' | 'mirrorPercentage'>): FractionalPercent {
  if (route.mirrorPercentage) return fractionOfPercent(route.mirrorPercentage.value ?? 0);
  return route.mirrorPercent === undefined ? fractionOfPercent(100) : fractionOfWholePercent(route.mirrorPercent);
}

function mirrorPolicy(
  destination: Destination,
  fraction: FractionalPercent,
  scope: RouteScope,
): RouteAction_RequestMirrorPolicy[] {
  if (fraction.numerator === 0) return [];
  return [
    create(RouteAction_RequestMirrorPolicySchema, {
      cluster: resolveDestination(destination, scope).cluster,
      runtimeFraction: { defaultValue: fraction },
      traceSampled: false,
      disableShadowHostSuffixAppend: true,
    }),
  ];
}
