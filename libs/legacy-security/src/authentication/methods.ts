import type { AuthenticationPolicy } from '@seine/istio';

export type MutualTlsMode = 'STRICT' | 'PERMISSIVE';

/** What a policy asks of callers; undefined = nothing. */
export function modeOf({ spec }: AuthenticationPolicy): MutualTlsMode | undefined {
  const methods = (spec.peers ?? []).flatMap(({ mtls }) => (mtls ? [mtls] : []));
  if (methods.length === 0) return undefined;
  const lenient =
    spec.peerIsOptional === true || methods.some(({ mode, allowTls }) => allowTls === true || mode === 'PERMISSIVE');
  return lenient ? 'PERMISSIVE' : 'STRICT';
}

export function hasOrigins({ spec }: AuthenticationPolicy): boolean {
  return (spec.origins ?? []).length > 0;
}

/** Whether somebody is kept out by a policy. */
export function demandsSomething(policy: AuthenticationPolicy): boolean {
  return modeOf(policy) === 'STRICT' || (hasOrigins(policy) && policy.spec.originIsOptional !== true);
}
