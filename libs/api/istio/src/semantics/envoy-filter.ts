import type { EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, EnvoyFilterSpec } from '../networking/envoy-filter.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkLabels, checkRegex } from './field-checks.js';

type ApplyTo = NonNullable<EnvoyConfigObjectPatch['applyTo']>;
type Subject = 'listener' | 'routeConfiguration' | 'cluster';

/** Which part of `match` speaks of the objects that a patch applies to. */
const subjects: Partial<Record<ApplyTo, Subject>> = {
  LISTENER: 'listener',
  LISTENER_FILTER: 'listener',
  FILTER_CHAIN: 'listener',
  NETWORK_FILTER: 'listener',
  HTTP_FILTER: 'listener',
  ROUTE_CONFIGURATION: 'routeConfiguration',
  VIRTUAL_HOST: 'routeConfiguration',
  HTTP_ROUTE: 'routeConfiguration',
  CLUSTER: 'cluster',
};

function checkMatch(applyTo: ApplyTo, match: EnvoyConfigObjectMatch | undefined, scope: Scope): void {
  const subject = subjects[applyTo];
  if (!match || !subject) return;
  for (const other of ['listener', 'routeConfiguration', 'cluster'] as const)
    if (match[other] && other !== subject) scope.at(other).error(`applyTo ${applyTo} cannot have a ${other} match`);
  if (match.proxy?.proxyVersion !== undefined) checkRegex(match.proxy.proxyVersion, scope.at('proxy', 'proxyVersion'));
}

const filters: ReadonlySet<ApplyTo> = new Set(['NETWORK_FILTER', 'HTTP_FILTER', 'LISTENER_FILTER']);
const ordered: ReadonlySet<ApplyTo> = new Set([...filters, 'HTTP_ROUTE', 'FILTER_CHAIN']);

function checkPatch(applyTo: ApplyTo, patch: EnvoyConfigObjectPatch['patch'], scope: Scope): void {
  if (!patch) {
    scope.error('is required');
    return;
  }
  const { operation, value, filterClass } = patch;
  if (operation === undefined || operation === 'INVALID') scope.at('operation').error('a patch must have an operation');
  else if (operation !== 'REMOVE' && value === undefined) scope.at('value').error(`${operation} needs a value`);
  if (operation?.startsWith('INSERT_') && !ordered.has(applyTo))
    scope.at('operation').error(`${operation} is for filters, filter chains and routes, not for ${applyTo}`);
  if (filterClass !== undefined && filterClass !== 'UNSPECIFIED') {
    if (operation !== 'ADD') scope.at('filterClass').error('is for the operation ADD only');
    if (applyTo !== 'HTTP_FILTER' && applyTo !== 'NETWORK_FILTER')
      scope.at('filterClass').error('is for NETWORK_FILTER and HTTP_FILTER only');
  }
}

/** What Istio asks of an EnvoyFilter beyond its schema. */
export function checkEnvoyFilter(spec: EnvoyFilterSpec, scope: Scope): void {
  checkLabels(spec.workloadSelector?.labels, scope.at('workloadSelector', 'labels'));
  each(spec.configPatches, scope.at('configPatches'), ({ applyTo, match, patch }, at) => {
    if (applyTo === undefined || applyTo === 'INVALID') {
      at.at('applyTo').error('is required');
      return;
    }
    checkMatch(applyTo, match, at.at('match'));
    checkPatch(applyTo, patch, at.at('patch'));
  });
}
