import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { isLabel } from '../semantics/addresses.js';
import { each } from '../semantics/each.js';
import { checkHeaderName, checkPrefix, checkRegex } from '../semantics/field-checks.js';
import { checkJwks } from '../semantics/request-authentication.js';
import { Scope } from '../validation/scope.js';
import type {
  AuthenticationJwt,
  AuthenticationPath,
  AuthenticationPolicySpec,
  AuthenticationTarget,
} from './authentication-policy.js';
import type { RbacConfigSpec, RbacTarget } from './rbac-config.js';
import type { AccessRule, ServiceRoleSpec } from './service-role.js';
import type { ServiceRoleBindingSpec, Subject } from './service-role-binding.js';

/** The only name that settings of a whole namespace or mesh may have. */
const defaultName = 'default';

function checkPathMatch(path: AuthenticationPath, scope: Scope): void {
  const [[form, value] = []] = Object.entries(path);
  if (form === undefined || value === undefined) scope.error('must have one of exact, prefix, suffix and regex');
  else if (form === 'regex') checkRegex(value, scope.at(form));
  else if (value === '') scope.at(form).error('must not be empty');
}

function checkKeysUrl(url: string, scope: Scope): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol))
    scope.error(`${JSON.stringify(url)} is not a URL that begins with http:// or https://`);
}

function checkJwt(jwt: AuthenticationJwt | undefined, scope: Scope): void {
  if (!jwt) {
    scope.error('must be set: it says whose tokens are accepted');
    return;
  }
  if (!jwt.issuer) scope.at('issuer').error('must be set');
  each(jwt.audiences, scope.at('audiences'), (audience, at) => {
    if (audience === '') at.error('must not be empty');
  });
  if (jwt.jwksUri) checkKeysUrl(jwt.jwksUri, scope.at('jwksUri'));
  if (jwt.jwks) checkJwks(jwt.jwks, scope.at('jwks'));
  if (jwt.jwksUri && jwt.jwks) scope.at('jwks').error('only one of jwks and jwksUri may be set');
  each(jwt.jwtHeaders, scope.at('jwtHeaders'), checkHeaderName);
  each(jwt.jwtParams, scope.at('jwtParams'), (name, at) => {
    if (name === '') at.error('must not be empty');
  });
  each(jwt.triggerRules, scope.at('triggerRules'), (rule, at) => {
    each(rule.includedPaths, at.at('includedPaths'), checkPathMatch);
    each(rule.excludedPaths, at.at('excludedPaths'), checkPathMatch);
  });
}

function checkTarget({ name, labels, ports }: AuthenticationTarget, scope: Scope): void {
  if (!isLabel(name))
    scope.at('name').error(`${JSON.stringify(name)} is not the short name of a Service of the same namespace`);
  if (labels && Object.keys(labels).length > 0)
    scope.at('labels').error('was never acted on, so it would select more than it says; leave it out');
  each(ports, scope.at('ports'), (port, at) => {
    if (port.number === undefined && !port.name) at.error('must have a number or a name');
  });
}

function checkPolicyName(object: ConfigObject, spec: AuthenticationPolicySpec, scope: Scope): void {
  const { kind, metadata } = object;
  const targets = spec.targets ?? [];
  if (kind === 'MeshPolicy') {
    if (metadata.name !== defaultName) scope.at('metadata', 'name').error('the MeshPolicy must be named default');
    if (targets.length > 0) scope.at('spec', 'targets').error('is for the whole mesh, so it must have no targets');
  } else if (targets.length === 0 && metadata.name !== defaultName)
    scope.at('spec', 'targets').error('a policy without targets is for its namespace and must be named default');
  else if (targets.length > 0 && metadata.name === defaultName)
    scope.at('spec', 'targets').error('the policy named default is for its namespace, so it must have no targets');
}

function checkPolicy(object: ConfigObject, scope: Scope): void {
  const spec = (object.spec ?? {}) as AuthenticationPolicySpec;
  const at = scope.at('spec');
  checkPolicyName(object, spec, scope);
  each(spec.targets, at.at('targets'), checkTarget);
  each(spec.peers, at.at('peers'), (peer, of) => {
    if (peer.jwt) of.at('jwt').error('tokens never were a way for workloads to prove who they are; use origins');
  });
  each(spec.origins, at.at('origins'), ({ jwt }, of) => checkJwt(jwt, of.at('jwt')));
}

function checkRbacTarget(target: RbacTarget | undefined, scope: Scope): void {
  if (target?.workloadSelectors?.length)
    scope.at('workloadSelectors').error('was never acted on; name services or namespaces');
}

function checkRbacConfig(object: ConfigObject, scope: Scope): void {
  const spec = (object.spec ?? {}) as RbacConfigSpec;
  const at = scope.at('spec');
  if (object.metadata.name !== defaultName) scope.at('metadata', 'name').error(`must be ${defaultName}`);
  if (spec.mode === 'ON_WITH_INCLUSION' && !spec.inclusion)
    at.at('inclusion').error('must say for which services roles decide');
  if (spec.mode === 'ON_WITH_EXCLUSION' && !spec.exclusion)
    at.at('exclusion').error('must say for which services roles do not decide');
  checkRbacTarget(spec.inclusion, at.at('inclusion'));
  checkRbacTarget(spec.exclusion, at.at('exclusion'));
}

function checkAccessRule({ services, constraints }: AccessRule, scope: Scope): void {
  if (!services?.length) scope.at('services').error('must name at least one service, or be ["*"]');
  each(constraints, scope.at('constraints'), ({ key, values }, at) => {
    if (!key) at.at('key').error('must be set');
    if (!values?.length) at.at('values').error('must have at least one value');
  });
}

function checkServiceRole(object: ConfigObject, scope: Scope): void {
  const { rules } = (object.spec ?? {}) as ServiceRoleSpec;
  if (!rules?.length) scope.at('spec', 'rules').error('must have at least one rule');
  each(rules, scope.at('spec', 'rules'), checkAccessRule);
}

function checkSubject(subject: Subject, scope: Scope): void {
  const says = Object.values(subject).some((value) =>
    typeof value === 'object' ? Object.keys(value).length > 0 : value !== '',
  );
  if (!says) scope.error('must have at least one of user, names, group, namespaces, ips and properties');
  each(subject.ips, scope.at('ips'), checkPrefix);
  each(subject.notIps, scope.at('notIps'), checkPrefix);
  const address = subject.properties?.['source.ip'];
  if (address !== undefined) checkPrefix(address, scope.at('properties', 'source.ip'));
}

function checkServiceRoleBinding(object: ConfigObject, scope: Scope): void {
  const { subjects, roleRef } = (object.spec ?? {}) as ServiceRoleBindingSpec;
  const at = scope.at('spec');
  if (!subjects?.length) at.at('subjects').error('must have at least one subject');
  each(subjects, at.at('subjects'), checkSubject);
  if (roleRef?.kind !== 'ServiceRole') at.at('roleRef', 'kind').error('must be ServiceRole');
  if (!roleRef?.name) at.at('roleRef', 'name').error('must be set');
}

const checks: Readonly<Record<string, (object: ConfigObject, scope: Scope) => void>> = {
  Policy: checkPolicy,
  MeshPolicy: checkPolicy,
  ClusterRbacConfig: checkRbacConfig,
  RbacConfig: checkRbacConfig,
  ServiceRole: checkServiceRole,
  ServiceRoleBinding: checkServiceRoleBinding,
};

/** What Istio asked of objects of its old security kinds beyond their schemas: SEINE-INVALID. */
export function legacySecurityErrors(object: ConfigObject): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  checks[object.kind]?.(object, new Scope(found, ''));
  return found;
}
