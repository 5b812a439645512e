import type {
  AuthenticationJwt,
  AuthenticationPath,
  AuthenticationPolicy,
  JWTRule,
  Operation,
  Rule,
} from '@seine/istio';
import type { Labels } from '@seine/k8s';
import { deepEqual } from '@seine/memo';
import { derivedAnnotations } from '@seine/model';
import type { DerivedObjects } from '../derived.js';
import type { Messages } from '../messages.js';

/** Where the tokens of a policy are asked for. */
export interface TokenScope {
  readonly namespace: string;
  /** Name of the derived objects. */
  readonly name: string;
  /** Undefined = the whole namespace, or with the root namespace the mesh. */
  readonly selector?: Labels | undefined;
  /** Ports of the workload to which it is limited. */
  readonly ports?: readonly number[] | undefined;
  readonly notPorts?: readonly number[] | undefined;
  /** Whether other policies accept tokens of other issuers at the same workloads. */
  readonly shared?: boolean;
}

function jwtRule(jwt: AuthenticationJwt): JWTRule {
  const { issuer, audiences, jwksUri, jwks, jwtHeaders, jwtParams } = jwt;
  return {
    issuer: issuer ?? '',
    ...(audiences?.length && { audiences }),
    ...(jwksUri && { jwksUri }),
    ...(jwks && { jwks }),
    ...(jwtHeaders?.length && { fromHeaders: jwtHeaders.map((name) => ({ name })) }),
    ...(jwtParams?.length && { fromParams: jwtParams }),
    // The tokens always went on to the application.
    forwardOriginalToken: true,
  };
}

/** A path as AuthorizationPolicies write it; undefined for expressions, which they have not. */
function pathPattern({ exact, prefix, suffix }: AuthenticationPath): string | undefined {
  if (exact !== undefined) return exact;
  if (prefix !== undefined) return `${prefix}*`;
  return suffix === undefined ? undefined : `*${suffix}`;
}

/** For which requests a token is asked for, and who may have issued it. */
interface Demand {
  readonly issuers: readonly string[];
  readonly paths: readonly string[];
  readonly notPaths: readonly string[];
}

function jwtsOf({ spec }: AuthenticationPolicy): readonly AuthenticationJwt[] {
  return (spec.origins ?? []).flatMap(({ jwt }) => (jwt ? [jwt] : []));
}

/** The demands of one origin. Where a rule cannot be written as it stands, more is asked for, never less. */
function demandsOf(policy: AuthenticationPolicy, at: number, issuers: readonly string[], messages: Messages): Demand[] {
  const rules = jwtsOf(policy)[at]?.triggerRules ?? [];
  if (rules.length === 0) return [{ issuers, paths: [], notPaths: [] }];
  return rules.map(({ includedPaths = [], excludedPaths = [] }, i) => {
    const convert = (list: readonly AuthenticationPath[], field: string): readonly (string | undefined)[] =>
      list.map((path, j) => {
        const pattern = pathPattern(path);
        if (pattern === undefined)
          messages.warn(
            policy,
            `spec.origins[${at}].jwt.triggerRules[${i}].${field}[${j}].regex`,
            `AuthorizationPolicies have no expressions for paths: the token is asked for on ${field === 'includedPaths' ? 'all paths' : 'these paths too'}. Use exact, prefix or suffix.`,
          );
        return pattern;
      });
    const included = convert(includedPaths, 'includedPaths');
    const excluded = convert(excludedPaths, 'excludedPaths');
    const isText = (pattern: string | undefined): pattern is string => pattern !== undefined;
    return {
      issuers,
      paths: included.every(isText) ? included : [],
      notPaths: excluded.filter(isText),
    };
  });
}

/** Who asks for a token where. Several issuers whose rules differ are asked for one by one. */
function allDemands(policy: AuthenticationPolicy, messages: Messages): readonly Demand[] {
  const jwts = jwtsOf(policy);
  const issuers = [...new Set(jwts.map(({ issuer }) => issuer ?? ''))];
  const [first] = jwts;
  const alike = jwts.every(({ triggerRules = [] }) => deepEqual(triggerRules, first?.triggerRules ?? []));
  if (alike) return demandsOf(policy, 0, issuers, messages);
  const always = jwts.filter(({ triggerRules }) => !triggerRules?.length).map(({ issuer }) => issuer ?? '');
  messages.warn(
    policy,
    'spec.origins',
    'The trigger rules of the origins differ: where those of several hold, a token of each is asked for.',
  );
  return jwts.flatMap(({ issuer = '', triggerRules }, at) =>
    demandsOf(policy, at, triggerRules?.length ? [...new Set([issuer, ...always])] : issuers, messages),
  );
}

function denyRule({ issuers, paths, notPaths }: Demand, { ports, notPorts, shared }: TokenScope, all: number): Rule {
  const operation: Operation = {
    ...(paths.length > 0 && { paths }),
    ...(notPaths.length > 0 && { notPaths }),
    ...(ports?.length && { ports: ports.map(String) }),
    ...(notPorts?.length && { notPorts: notPorts.map(String) }),
  };
  const notRequestPrincipals = shared || issuers.length < all ? issuers.map((issuer) => `${issuer}/*`) : ['*'];
  return {
    from: [{ source: { notRequestPrincipals } }],
    ...(Object.keys(operation).length > 0 && { to: [{ operation }] }),
  };
}

/**
 * The RequestAuthentication of a policy, and the AuthorizationPolicy that asks for the token. The former says too that it
 * must be there, so that its absence is answered 401, as it was, and not 403.
 */
export function addTokens(
  policy: AuthenticationPolicy,
  scope: TokenScope,
  derived: DerivedObjects,
  messages: Messages,
): void {
  const jwts = jwtsOf(policy);
  if (jwts.length === 0) return;
  const { namespace, name } = scope;
  const selector = scope.selector && { selector: { matchLabels: scope.selector } };
  const optional = policy.spec.originIsOptional === true;
  const demands = optional ? [] : allDemands(policy, messages);
  const [only] = demands.length === 1 && !scope.ports && !scope.notPorts ? demands : [];
  derived.add({
    kind: 'RequestAuthentication',
    namespace,
    name,
    spec: { ...selector, jwtRules: jwts.map(jwtRule) },
    parents: [policy],
    ...(only && {
      annotations: {
        [derivedAnnotations.requiredTokens]: JSON.stringify({ paths: only.paths, notPaths: only.notPaths }),
      },
    }),
  });
  if (optional) return;
  const issuers = new Set(jwts.map(({ issuer }) => issuer)).size;
  derived.add({
    kind: 'AuthorizationPolicy',
    namespace,
    name,
    spec: { ...selector, action: 'DENY', rules: demands.map((demand) => denyRule(demand, scope, issuers)) },
    parents: [policy],
  });
}
