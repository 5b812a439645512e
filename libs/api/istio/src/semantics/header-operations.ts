import type { HeaderOperations, Headers, HTTPRoute } from '../networking/virtual-service.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';

function isAuthority(name: string): boolean {
  return /^(:authority|host)$/i.test(name);
}

/** Envoy refuses routes that change pseudo-headers, or that remove the host of a request. */
function checkName(name: string, scope: Scope, authority: boolean): void {
  if (name === '') scope.error('a header name must not be empty');
  else if (isAuthority(name)) {
    if (!authority) scope.error(`the header ${name} can only be set on requests`);
  } else if (name.startsWith(':')) scope.error(`the pseudo-header ${name} cannot be changed`);
}

/** Control characters end a header; tabs are allowed. */
// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u0008\u000a-\u001f\u007f]/;
/** Text in which `%` stands only around a variable, `%REQ(x)%`, or twice for itself (Envoy, "Custom request/response headers"). */
const format = /^(?:[^%]|%%|%[^%(]+%|%[^%(]*\((?:\\.|[^)\\])*\)(?::\d+)? *%)*$/s;

function checkValue(value: string, scope: Scope): void {
  if (controlCharacter.test(value)) scope.error('must not hold control characters');
  else if (!format.test(value))
    scope.error(`a % begins a variable, as %HOSTNAME% or %REQ(x-id)%; write %% for the sign itself`);
}

function checkOperations(operations: HeaderOperations | undefined, scope: Scope, authority: boolean): void {
  for (const field of ['set', 'add'] as const)
    for (const [name, value] of Object.entries(operations?.[field] ?? {})) {
      checkName(name, scope.at(field, name), authority);
      checkValue(value, scope.at(field, name));
    }
  each(operations?.remove, scope.at('remove'), (name, at) => checkName(name, at, false));
}

export function checkHeaders(headers: Headers | undefined, scope: Scope): void {
  checkOperations(headers?.request, scope.at('request'), true);
  checkOperations(headers?.response, scope.at('response'), false);
}

/** The host of a request can be written in one place only. */
export function checkAuthority({ rewrite, headers }: HTTPRoute, scope: Scope): void {
  const names = [...Object.keys(headers?.request?.set ?? {}), ...Object.keys(headers?.request?.add ?? {})];
  const count = names.filter(isAuthority).length + (rewrite?.authority ? 1 : 0);
  if (count > 1) scope.error('the authority is set more than once, by rewrite.authority or headers.request');
}
