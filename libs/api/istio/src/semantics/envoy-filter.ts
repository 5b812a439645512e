import type { EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, EnvoyFilterSpec } from '../networking/envoy-filter.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkPatchValue } from './envoy-filter-value.js';
import { checkLabels, checkRegex } from './field-checks.js';

type ApplyTo = Exclude<NonNullable<EnvoyConfigObjectPatch['applyTo']>, 'INVALID'>;
type ListenerMatch = NonNullable<EnvoyConfigObjectMatch['listener']>;
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

const httpConnectionManager = 'envoy.filters.network.http_connection_manager';
/** Istio's limit: a longer expression matches no proxy. */
const longestVersion = 1024;

/** Names that filters had before Envoy 1.14; nothing carries them any more. */
const formerNames: Readonly<Record<string, string>> = {
  'envoy.http_connection_manager': httpConnectionManager,
  'envoy.tcp_proxy': 'envoy.filters.network.tcp_proxy',
  'envoy.mongo_proxy': 'envoy.filters.network.mongo_proxy',
  'envoy.redis_proxy': 'envoy.filters.network.redis_proxy',
  'envoy.ratelimit': 'envoy.filters.network.ratelimit',
  'envoy.ext_authz': 'envoy.filters.http.ext_authz',
  'envoy.router': 'envoy.filters.http.router',
  'envoy.cors': 'envoy.filters.http.cors',
  'envoy.fault': 'envoy.filters.http.fault',
  'envoy.lua': 'envoy.filters.http.lua',
  'envoy.rate_limit': 'envoy.filters.http.ratelimit',
};

function checkFilterName(name: string | undefined, scope: Scope): void {
  const now = name === undefined ? undefined : formerNames[name];
  if (now !== undefined) scope.at('name').warning(`is a former name, which matches nothing; use ${now}`);
}

function checkFilterMatch(applyTo: ApplyTo, { filterChain }: ListenerMatch, scope: Scope): void {
  const filter = filterChain?.filter;
  if (!filter) return;
  const at = scope.at('filterChain', 'filter');
  if (applyTo === 'LISTENER' || applyTo === 'FILTER_CHAIN') at.warning(`has no effect with applyTo ${applyTo}`);
  checkFilterName(filter.name, at);
  if (!filter.name) at.at('name').error('is required: a filter is matched by its name');
  else if (filter.subFilter) {
    const sub = at.at('subFilter');
    if (applyTo !== 'HTTP_FILTER') sub.error('is for applyTo HTTP_FILTER only');
    else if (filter.name !== httpConnectionManager && formerNames[filter.name] !== httpConnectionManager)
      sub.error(`can be matched in the filter ${httpConnectionManager} only`);
    else if (!filter.subFilter.name) sub.at('name').error('is required: a filter is matched by its name');
    checkFilterName(filter.subFilter.name, sub);
  }
}

function checkProxyMatch({ proxy }: EnvoyConfigObjectMatch, scope: Scope): void {
  const version = proxy?.proxyVersion;
  if (version === undefined) return;
  const at = scope.at('proxy', 'proxyVersion');
  if (version.length > longestVersion) at.warning(`has more than ${longestVersion} characters, so it matches no proxy`);
  else checkRegex(version, at);
}

function checkMatch(applyTo: ApplyTo, match: EnvoyConfigObjectMatch | undefined, scope: Scope): void {
  if (!match) return;
  checkProxyMatch(match, scope);
  const subject = subjects[applyTo];
  if (!subject) return;
  for (const other of ['listener', 'routeConfiguration', 'cluster'] as const)
    if (match[other] && other !== subject) scope.at(other).error(`applyTo ${applyTo} cannot have a ${other} match`);
  if (match.listener && subject === 'listener') checkFilterMatch(applyTo, match.listener, scope.at('listener'));
}

function checkPatch(applyTo: ApplyTo, patch: EnvoyConfigObjectPatch['patch'], scope: Scope): void {
  if (!patch) {
    scope.error('is required');
    return;
  }
  const { operation, value, filterClass } = patch;
  if (operation === undefined || operation === 'INVALID') scope.at('operation').error('a patch must have an operation');
  else if (operation !== 'REMOVE' && value === undefined) scope.at('value').error(`${operation} needs a value`);
  else checkPatchValue(applyTo, patch, scope.at('value'));
  if (filterClass === undefined || filterClass === 'UNSPECIFIED') return;
  if (operation !== 'ADD') scope.at('filterClass').warning('has an effect with the operation ADD only');
  if (applyTo !== 'HTTP_FILTER' && applyTo !== 'NETWORK_FILTER')
    scope.at('filterClass').warning('has an effect with NETWORK_FILTER and HTTP_FILTER only');
}

/** What Istio asks of an EnvoyFilter beyond its schema. */
export function checkEnvoyFilter(spec: EnvoyFilterSpec, scope: Scope): void {
  checkLabels(spec.workloadSelector?.labels, scope.at('workloadSelector', 'labels'));
  each(spec.targetRefs, scope.at('targetRefs'), ({ kind }, at) => {
    if (kind !== 'Gateway')
      at.at('kind').warning(`${kind} is a target of waypoints, which Seine does not have.`, 'SEINE-UNSUPPORTED');
  });
  each(spec.configPatches, scope.at('configPatches'), ({ applyTo, match, patch }, at) => {
    if (match?.context === 'WAYPOINT') {
      at.at('match', 'context').warning('Seine has no waypoints: the patch has no effect.', 'SEINE-UNSUPPORTED');
      return;
    }
    if (applyTo === undefined || applyTo === 'INVALID') {
      at.at('applyTo').error('is required');
      return;
    }
    checkMatch(applyTo, match, at.at('match'));
    checkPatch(applyTo, patch, at.at('patch'));
  });
}
