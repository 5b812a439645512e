import type { JWTRule, RequestAuthenticationSpec } from '../security/request-authentication.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkHeaderName, checkLabels } from './field-checks.js';
import { readKeySet } from './key-set.js';

/** Keys that are written down: in the configuration everybody reads them, so that only public ones are keys at all. */
export function checkJwks(jwks: string, scope: Scope): void {
  for (const { index, message, unusable } of readKeySet(jwks).problems) {
    const text = index === undefined ? message : `keys[${index}] ${message}`;
    if (unusable) scope.warning(`${text}; no token is checked with it`);
    else scope.error(text);
  }
}

/** Hosts that are certainly this machine, or a cloud's own. What names stand for is known when keys are fetched. */
const neverFetched: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /^(127\.[\d.]+|\[::1\]|0\.[\d.]+|\[::\]|(.*\.)?localhost\.?|\[::ffff:7f[0-9a-f]{2}:.*\])$/,
    'the machine of the control plane itself',
  ],
  [
    /^(169\.254\.[\d.]+|\[fe[89ab][0-9a-f]:.*\]|\[::ffff:a9fe:.*\])$/,
    'link-local, where clouds serve credentials of machines',
  ],
  [/^(100\.100\.100\.200|\[fd00:ec2:.*\])$/, 'the metadata service of a cloud'],
];

/** An address that keys are fetched from. */
export function checkJwksUri(text: string, scope: Scope): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    scope.error(`${JSON.stringify(text)} is no URL as https://accounts.example.com/keys`);
    return;
  }
  const what = neverFetched.find(([pattern]) => pattern.test(url.hostname))?.[1];
  if (what !== undefined)
    scope.warning(
      `${url.hostname} is ${what}: pilot fetches no keys from there unless --jwks-allow names it; until then all tokens of this issuer are refused`,
      'SEINE-JWKS-FETCH',
    );
}

function hasControlCharacters(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- these are what it looks for
  return /[\x00-\x1f\x7f]/.test(text);
}

function checkJwtRule(rule: JWTRule, scope: Scope): void {
  if (!rule.issuer && !rule.jwksUri)
    scope.error('either issuer or jwksUri must be set: without both nothing says where tokens come from');
  if (rule.jwks) checkJwks(rule.jwks, scope.at('jwks'));
  if (rule.jwksUri) checkJwksUri(rule.jwksUri, scope.at('jwksUri'));
  else if (!rule.jwks && rule.issuer && !/^https?:\/\//i.test(rule.issuer))
    scope
      .at('issuer')
      .warning(
        `${JSON.stringify(rule.issuer)} is no URL, so that no keys can be found through it; set jwksUri or jwks`,
        'SEINE-JWKS-FETCH',
      );
  each(rule.fromHeaders, scope.at('fromHeaders'), ({ name, prefix = '' }, at) => {
    checkHeaderName(name, at.at('name'));
    if (hasControlCharacters(prefix)) at.at('prefix').error('holds control characters, which no header has');
  });
  if (rule.outputPayloadToHeader) checkHeaderName(rule.outputPayloadToHeader, scope.at('outputPayloadToHeader'));
}

/** What Istio asks of a RequestAuthentication beyond its schema. */
export function checkRequestAuthentication(spec: RequestAuthenticationSpec, scope: Scope): void {
  checkLabels(spec.selector?.matchLabels, scope.at('selector', 'matchLabels'));
  each(spec.jwtRules, scope.at('jwtRules'), checkJwtRule);
}
