import type { HTTPMatchRequest, HTTPRoute } from '../networking/virtual-service.js';
import { checkDestination, checkWeightedDestinations } from './destination.js';
import { checkGatewayNames, checkLabels, checkPort } from './field-checks.js';
import { checkAuthority, checkHeaders } from './header-operations.js';
import {
  checkCors,
  checkDirectResponse,
  checkFault,
  checkRedirect,
  checkRetries,
  checkRewrite,
} from './http-actions.js';
import { isLabel } from './addresses.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkHeaderMatches, checkStringMatch } from './string-match.js';

function checkMatch(match: HTTPMatchRequest, scope: Scope): void {
  checkStringMatch(match.uri, scope.at('uri'), true);
  for (const field of ['scheme', 'method', 'authority'] as const) checkStringMatch(match[field], scope.at(field));
  checkHeaderMatches(match.headers, scope.at('headers'));
  checkHeaderMatches(match.withoutHeaders, scope.at('withoutHeaders'), { presence: true });
  for (const [name, query] of Object.entries(match.queryParams ?? {}))
    checkStringMatch(query, scope.at('queryParams', name));
  if (match.port !== undefined && match.port !== 0) checkPort(match.port, scope.at('port'));
  checkLabels(match.sourceLabels, scope.at('sourceLabels'));
  checkGatewayNames(match.gateways, scope.at('gateways'));
}

type Action = 'route' | 'redirect' | 'directResponse' | 'delegate';

function actionsOf(route: HTTPRoute): readonly Action[] {
  const set: Action[] = [];
  if (route.route && route.route.length > 0) set.push('route');
  if (route.redirect) set.push('redirect');
  if (route.directResponse) set.push('directResponse');
  if (route.delegate) set.push('delegate');
  return set;
}

/** What says how a request is forwarded makes no sense where none is. */
function checkCompany(action: Action, route: HTTPRoute, scope: Scope): void {
  if (action === 'route' || action === 'delegate') return;
  for (const field of ['fault', 'rewrite'] as const)
    if (route[field]) scope.error(`HTTP route cannot contain both ${field} and ${action}`);
}

function checkActions(route: HTTPRoute, scope: Scope): void {
  const actions = actionsOf(route);
  const [action] = actions;
  if (action === undefined) scope.error('HTTP route, redirect, directResponse or delegate is required');
  else if (actions.length > 1) scope.error(`HTTP route cannot contain both ${actions.join(' and ')}`);
  else checkCompany(action, route, scope);
}

function checkMirrors(route: HTTPRoute, scope: Scope): void {
  if (route.mirror && route.mirrors && route.mirrors.length > 0)
    scope.error('HTTP route cannot contain both mirror and mirrors');
  if (route.mirror) checkDestination(route.mirror, scope.at('mirror'));
  if (route.mirrorPercent !== undefined && route.mirrorPercent > 100)
    scope.at('mirrorPercent').error('must be between 0 and 100');
  each(route.mirrors, scope.at('mirrors'), ({ destination }, at) =>
    checkDestination(destination, at.at('destination')),
  );
}

function checkDelegate({ delegate }: HTTPRoute, scope: Scope): void {
  if (!delegate) return;
  if (!delegate.name) scope.at('delegate', 'name').error('the name of a VirtualService is required');
  if (delegate.namespace && !isLabel(delegate.namespace))
    scope.at('delegate', 'namespace').error(`${JSON.stringify(delegate.namespace)} is not a namespace`);
}

export function checkHttpRoute(route: HTTPRoute, scope: Scope): void {
  checkActions(route, scope);
  each(route.match, scope.at('match'), checkMatch);
  checkWeightedDestinations(route.route ?? [], scope.at('route'));
  each(route.route, scope.at('route'), ({ headers }, at) => checkHeaders(headers, at.at('headers')));
  checkHeaders(route.headers, scope.at('headers'));
  checkAuthority(route, scope);
  checkMirrors(route, scope);
  checkDelegate(route, scope);
  checkRedirect(route.redirect, route.match ?? [], scope.at('redirect'));
  checkDirectResponse(route.directResponse, scope.at('directResponse'));
  checkRewrite(route.rewrite, scope.at('rewrite'));
  checkRetries(route.retries, scope.at('retries'));
  checkFault(route.fault, scope.at('fault'));
  checkCors(route.corsPolicy, scope.at('corsPolicy'));
}
