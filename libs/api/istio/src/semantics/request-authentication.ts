import type { JWTRule, RequestAuthenticationSpec } from '../security/request-authentication.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkHeaderName, checkLabels } from './field-checks.js';

/** A JSON Web Key Set (RFC 7517) has a list `keys` whose members name their type. */
export function checkJwks(jwks: string, scope: Scope): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(jwks);
  } catch (error) {
    scope.error(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  const keys = typeof parsed === 'object' && parsed !== null && 'keys' in parsed ? parsed.keys : undefined;
  if (!Array.isArray(keys)) scope.error('is not a JSON Web Key Set: it has no list "keys"');
  else if (!keys.every((key: unknown) => typeof key === 'object' && key !== null && 'kty' in key))
    scope.error('is not a JSON Web Key Set: a key has no type ("kty")');
}

function checkJwtRule(rule: JWTRule, scope: Scope): void {
  if (rule.jwks) checkJwks(rule.jwks, scope.at('jwks'));
  each(rule.fromHeaders, scope.at('fromHeaders'), ({ name }, at) => checkHeaderName(name, at.at('name')));
  if (rule.outputPayloadToHeader) checkHeaderName(rule.outputPayloadToHeader, scope.at('outputPayloadToHeader'));
}

/** What Istio asks of a RequestAuthentication beyond its schema. */
export function checkRequestAuthentication(spec: RequestAuthenticationSpec, scope: Scope): void {
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  each(spec.jwtRules, scope.at('jwtRules'), checkJwtRule);
}
