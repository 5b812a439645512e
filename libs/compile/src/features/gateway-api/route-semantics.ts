import { create } from '@bufbuild/protobuf';
import {
  type RedirectAction,
  type RouteAction,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type RouteMatch,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import {
  type RegexMatchAndSubstitute,
  RegexMatchAndSubstituteSchema,
} from '@seine/envoy/envoy/type/matcher/v3/regex_pb.js';
import type { VirtualService } from '@seine/istio';
import { derivedAnnotations } from '@seine/model';

/** By whose rules the routes of a VirtualService are read: Istio's own, or those of what it was derived from. */
export type RouteSemantics = 'istio' | 'ingress' | 'gateway';

export function routeSemanticsOf({ metadata }: VirtualService): RouteSemantics {
  const written = metadata.annotations?.[derivedAnnotations.routeSemantics];
  return written === 'ingress' || written === 'gateway' ? written : 'istio';
}

/** Outside Istio's own API a prefix takes whole segments of the path: `/shop` takes `/shop/1`, but not `/shopping`. */
export function bySegments(match: RouteMatch, semantics: RouteSemantics): RouteMatch {
  const path = match.pathSpecifier;
  if (semantics === 'istio' || path.case !== 'prefix' || path.value === '/') return match;
  match.pathSpecifier = { case: 'pathSeparatedPrefix', value: path.value.replace(/\/$/, '') };
  return match;
}

type Rewrite = Pick<Partial<RouteAction>, 'prefixRewrite' | 'regexRewrite'>;

/**
 * What comes in the place of a prefix, segment by segment too: taking a prefix away leaves one slash, and what is put
 * before a whole path is parted from it by one.
 */
export function rewriteBySegments(rewrite: Rewrite, match: RouteMatch, semantics: RouteSemantics): Rewrite {
  const { prefixRewrite } = rewrite;
  if (semantics !== 'gateway' || !prefixRewrite) return rewrite;
  if (prefixRewrite === '/') return { regexRewrite: removal(match) };
  return { prefixRewrite: isRoot(match) ? `${prefixRewrite}/` : prefixRewrite };
}

/** As `rewriteBySegments`, for redirects. */
export function redirectBySegments(
  redirect: RedirectAction,
  match: RouteMatch,
  semantics: RouteSemantics,
): RedirectAction {
  const path = redirect.pathRewriteSpecifier;
  if (path.case !== 'prefixRewrite') return redirect;
  const { prefixRewrite, regexRewrite } = rewriteBySegments({ prefixRewrite: path.value }, match, semantics);
  if (regexRewrite) redirect.pathRewriteSpecifier = { case: 'regexRewrite', value: regexRewrite };
  else if (prefixRewrite) redirect.pathRewriteSpecifier = { case: 'prefixRewrite', value: prefixRewrite };
  return redirect;
}

function isRoot({ pathSpecifier }: RouteMatch): boolean {
  return pathSpecifier.case === 'prefix' && pathSpecifier.value === '/';
}

function removal({ pathSpecifier }: RouteMatch): RegexMatchAndSubstitute {
  const prefix = pathSpecifier.case === 'pathSeparatedPrefix' ? pathSpecifier.value : '';
  return create(RegexMatchAndSubstituteSchema, {
    pattern: { regex: `^${prefix.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')}(/?)(.*)` },
    substitution: '/\\2',
  });
}

/** What a request for a cluster that is not there is answered with. */
export function notFoundCode(semantics: RouteSemantics): Pick<Partial<RouteAction>, 'clusterNotFoundResponseCode'> {
  return semantics === 'gateway' ? { clusterNotFoundResponseCode: NotFoundCode.INTERNAL_SERVER_ERROR } : {};
}
