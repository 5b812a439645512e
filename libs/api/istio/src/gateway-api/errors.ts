import type { Diagnostic } from '@seine/diagnostics';
import { checkHeaderName, checkRegex } from '../semantics/field-checks.js';
import { each } from '../semantics/each.js';
import { Scope } from '../validation/scope.js';
import type { GatewaySpec, Listener, ListenerEntry, ListenerSetSpec } from './gateway.js';
import type { HeaderFilter, HTTPRouteFilter, HTTPRouteMatch, HTTPRouteRule, HTTPRouteSpec } from './http-route.js';
import type { GRPCRouteFilter, GRPCRouteMatch, GRPCRouteRule, GRPCRouteSpec } from './other-routes.js';

/** Where the settings of a filter are, by its `type`. */
const settingsOf: Readonly<Record<string, string>> = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
  ExtensionRef: 'extensionRef',
};

const unsupported = 'SEINE-UNSUPPORTED';

/** What a filter of some type is not followed for: then requests of the rule are answered 500, as in Istio. */
const notFollowed: ReadonlySet<string> = new Set(['ExternalAuth', 'ExtensionRef']);

function checkHeaders(filter: HeaderFilter | undefined, scope: Scope): void {
  for (const field of ['set', 'add'] as const)
    each(filter?.[field], scope.at(field), ({ name, value }, at) => {
      checkHeaderName(name, at.at('name'));
      // eslint-disable-next-line no-control-regex -- these are the characters that a header must not hold
      if (/[\0-\x08\n-\x1f\x7f]/.test(value)) at.at('value').error('holds characters that a header must not have');
    });
  each(filter?.remove, scope.at('remove'), checkHeaderName);
}

function checkFilter(filter: HTTPRouteFilter | GRPCRouteFilter, scope: Scope): void {
  const field = settingsOf[filter.type];
  if (field === undefined) {
    scope
      .at('type')
      .error(`there is no filter ${JSON.stringify(filter.type)}; use ${Object.keys(settingsOf).join(', ')}`);
    return;
  }
  if (!(field in filter)) scope.error(`a filter of type ${filter.type} must have the field ${field}`);
  for (const other of Object.keys(filter))
    if (other !== 'type' && other !== field) scope.at(other).error(`has no place in a filter of type ${filter.type}`);
  if (notFollowed.has(filter.type))
    scope.warning(
      `filters of type ${filter.type} are not supported: requests of this rule are answered 500`,
      unsupported,
    );
  checkHeaders(filter.requestHeaderModifier, scope.at('requestHeaderModifier'));
  checkHeaders(filter.responseHeaderModifier, scope.at('responseHeaderModifier'));
}

function checkFilters(filters: readonly (HTTPRouteFilter | GRPCRouteFilter)[] | undefined, scope: Scope): void {
  each(filters, scope, checkFilter);
  const types = new Set((filters ?? []).map(({ type }) => type));
  if (types.has('RequestRedirect') && types.has('URLRewrite'))
    scope.error('RequestRedirect and URLRewrite exclude each other');
}

/** Filters of one backend may only change headers, as in Istio. */
function checkBackendFilters(rule: HTTPRouteRule | GRPCRouteRule, scope: Scope): void {
  each<{ readonly filters?: readonly (HTTPRouteFilter | GRPCRouteFilter)[] }>(
    rule.backendRefs,
    scope.at('backendRefs'),
    ({ filters }, at) => {
      checkFilters(filters, at.at('filters'));
      each(filters, at.at('filters'), ({ type }, filter) => {
        if (type in settingsOf && !notFollowed.has(type) && !type.endsWith('HeaderModifier'))
          filter.warning(
            `a filter of type ${type} is not supported on a backend: requests of this rule are answered 500; write it on the rule`,
            unsupported,
          );
      });
    },
  );
}

function checkSession(rule: HTTPRouteRule | GRPCRouteRule, scope: Scope): void {
  if (rule.sessionPersistence)
    scope
      .at('sessionPersistence')
      .warning(
        'has no effect, as in Istio; for cookies that keep a session write a DestinationRule with consistentHash',
        unsupported,
      );
}

function checkHttpMatch({ path, headers, queryParams }: HTTPRouteMatch, scope: Scope): void {
  const value = path?.value ?? '/';
  const at = scope.at('path', 'value');
  if (path?.type === 'RegularExpression') checkRegex(value, at);
  else if (!value.startsWith('/')) at.error(`${JSON.stringify(value)} must begin with /`);
  else if (/\/\/|\/\.\.?(\/|$)|%2f|#/i.test(value))
    at.error(`${JSON.stringify(value)} must not hold //, /./, /../, %2f or #`);
  for (const [field, list] of [
    ['headers', headers],
    ['queryParams', queryParams],
  ] as const)
    each(list, scope.at(field), (match, where) => {
      if (match.type === 'RegularExpression') checkRegex(match.value, where.at('value'));
    });
}

function checkHttpRoute({ rules }: HTTPRouteSpec, scope: Scope): void {
  each(rules, scope.at('rules'), (rule, at) => {
    each(rule.matches, at.at('matches'), checkHttpMatch);
    checkFilters(rule.filters, at.at('filters'));
    checkBackendFilters(rule, at);
    checkSession(rule, at);
    if (rule.filters?.some(({ type }) => type === 'RequestRedirect') && rule.backendRefs?.length)
      at.at('backendRefs').error('a rule that redirects sends nothing to a backend');
  });
}

function checkGrpcMatch({ method, headers }: GRPCRouteMatch, scope: Scope): void {
  if (method && !method.service && !method.method) scope.at('method').error('must have a service or a method');
  for (const field of ['service', 'method'] as const) {
    const value = method?.[field];
    if (value && method.type === 'RegularExpression') checkRegex(value, scope.at('method', field));
    else if (value && !/^\/?[a-zA-Z_][\w.]*$/.test(value))
      scope.at('method', field).error(`${JSON.stringify(value)} is not the name of a ${field}`);
  }
  each(headers, scope.at('headers'), (match, where) => {
    if (match.type === 'RegularExpression') checkRegex(match.value, where.at('value'));
  });
}

function checkGrpcRoute({ rules }: GRPCRouteSpec, scope: Scope): void {
  each(rules, scope.at('rules'), (rule, at) => {
    each(rule.matches, at.at('matches'), checkGrpcMatch);
    checkFilters(rule.filters, at.at('filters'));
    checkBackendFilters(rule, at);
    checkSession(rule, at);
  });
}

function checkListeners(listeners: readonly (Listener | ListenerEntry)[], scope: Scope): void {
  each(listeners, scope.at('listeners'), ({ protocol, hostname, tls }, at) => {
    if (tls && (protocol === 'HTTP' || protocol === 'TCP' || protocol === 'UDP'))
      at.at('tls').error(`has no place in a listener with the protocol ${protocol}`);
    if (hostname && (protocol === 'TCP' || protocol === 'UDP'))
      at.at('hostname').error(`has no place in a listener with the protocol ${protocol}`);
    if (tls?.mode === 'Passthrough' && protocol === 'HTTPS')
      at.at('tls', 'mode').error('HTTPS must be ended here (Terminate); for Passthrough the protocol is TLS');
  });
}

type Check = (spec: never, scope: Scope) => void;

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['HTTPRoute', checkHttpRoute],
  ['GRPCRoute', checkGrpcRoute],
  ['Gateway', ({ listeners }: GatewaySpec, scope: Scope) => checkListeners(listeners, scope)],
  ['ListenerSet', ({ listeners }: ListenerSetSpec, scope: Scope) => checkListeners(listeners, scope)],
]);

/**
 * What the Gateway API asks of a spec beyond its schema, and what is not followed.
 * @param spec satisfies the schema of the kind
 */
export function gatewayApiErrors(kind: string, spec: unknown): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  checks.get(kind)?.((spec ?? {}) as never, new Scope(found, 'spec'));
  return found;
}
