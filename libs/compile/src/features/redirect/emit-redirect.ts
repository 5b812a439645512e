import { create } from '@bufbuild/protobuf';
import {
  type RedirectAction,
  RedirectAction_RedirectResponseCode as Code,
  RedirectActionSchema,
} from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRedirect } from '@seine/istio';
import type { RouteScope } from '../routing/destination.js';

const codes: Readonly<Record<number, Code>> = {
  301: Code.MOVED_PERMANENTLY,
  302: Code.FOUND,
  303: Code.SEE_OTHER,
  307: Code.TEMPORARY_REDIRECT,
  308: Code.PERMANENT_REDIRECT,
};

/**
 * `redirect`: what is not stated stays as the request had it; the code is 301 unless stated. The port is left out where the
 * scheme implies it (80, 443).
 */
export function emitRedirect(redirect: HTTPRedirect, scope: Pick<RouteScope, 'port' | 'tls'>): RedirectAction {
  return create(RedirectActionSchema, {
    hostRedirect: redirect.authority ?? '',
    portRedirect: portRedirect(redirect, scope),
    pathRewriteSpecifier: pathRewrite(redirect),
    schemeRewriteSpecifier: redirect.scheme ? { case: 'schemeRedirect', value: redirect.scheme } : { case: undefined },
    responseCode: codes[redirect.redirectCode ?? 301] ?? Code.MOVED_PERMANENTLY,
  });
}

function pathRewrite(redirect: HTTPRedirect): RedirectAction['pathRewriteSpecifier'] {
  if (redirect.uri) return { case: 'pathRedirect', value: redirect.uri };
  if (redirect.prefixRewrite) return { case: 'prefixRewrite', value: redirect.prefixRewrite };
  return { case: undefined };
}

/** Envoy cannot take the port from the request; but these routes serve one listener, so its port is the request's. */
function portRedirect(redirect: HTTPRedirect, scope: Pick<RouteScope, 'port' | 'tls'>): number {
  const port = redirect.port ?? (redirect.derivePort === 'FROM_REQUEST_PORT' ? scope.port : 0);
  const scheme = redirect.scheme ? redirect.scheme.toLowerCase() : scope.tls ? 'https' : 'http';
  return (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443) ? 0 : port;
}
