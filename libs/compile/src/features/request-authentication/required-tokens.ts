import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RouteMatchSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { RequestAuthentication } from '@seine/istio';
import { fieldsOf, textsOf } from '@seine/k8s';
import { derivedAnnotations } from '@seine/model';
import { quoteRegex } from '../authorization-policy/patterns.js';

type MatchInit = MessageInitShape<typeof RouteMatchSchema>;

/** Paths as AuthorizationPolicies write them: `/a`, `/a*`, `*.css`. */
interface RequiredTokens {
  /** All when empty. */
  readonly paths: readonly string[];
  readonly notPaths: readonly string[];
}

/** Where a token must be there, and where it need not be: the first match counts. */
export interface TokenMatches {
  readonly optional: readonly MatchInit[];
  readonly required: readonly MatchInit[];
}

function readRequired({ metadata }: RequestAuthentication): readonly RequiredTokens[] {
  const text = metadata.annotations?.[derivedAnnotations.requiredTokens];
  if (text === undefined) return [];
  try {
    const fields = fieldsOf(JSON.parse(text));
    return [{ paths: textsOf(fields['paths']), notPaths: textsOf(fields['notPaths']) }];
  } catch {
    return [];
  }
}

function matchPath(pattern: string): MatchInit {
  if (pattern.endsWith('*')) return { pathSpecifier: { case: 'prefix', value: pattern.slice(0, -1) } };
  if (pattern.startsWith('*'))
    return { pathSpecifier: { case: 'safeRegex', value: { regex: `.*${quoteRegex(pattern.slice(1))}` } } };
  return { pathSpecifier: { case: 'path', value: pattern } };
}

/**
 * The requests that are answered 401 for want of a token (annotation `internal.istio.io/required-tokens`), as the authentication
 * policies of Istio 1.0 to 1.5 did. An AuthorizationPolicy beside asks for the token too, so that where two policies
 * have a say, and this says nothing, no request passes but is answered 403.
 */
export function requiredTokens(policies: readonly RequestAuthentication[]): TokenMatches | undefined {
  const [only, ...others] = policies.flatMap(readRequired);
  if (!only || others.length > 0) return undefined;
  const paths = only.paths.length > 0 ? only.paths : ['/*'];
  return { optional: only.notPaths.map(matchPath), required: paths.map(matchPath) };
}
