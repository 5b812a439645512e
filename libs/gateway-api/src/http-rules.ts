import type { gatewayApi, Headers, HTTPMirrorPolicy, HTTPRetry, HTTPRoute, HTTPRouteDestination } from '@seine/istio';
import { type BackendOwner, resolveBackend, weighed } from './backends.js';
import { joinProblems, type Problem } from './condition.js';
import type { Context } from './context.js';
import { corsPolicyOf, headerOperations, mirrorPercentage, redirectOf, rewriteOf } from './filters.js';
import { grpcMatch, httpMatch } from './matches.js';
import type { GRPCRoute, HTTPRoute as HTTPRouteObject } from './input.js';

/** The rules of a route as routes of Istio's API. */
export interface ConvertedRules<T> {
  readonly routes: readonly T[];
  /** Something a rule refers to is not right. */
  readonly problem?: Problem | undefined;
  /** Rules that cannot be followed at all, by their position: requests for them are answered 500. */
  readonly dropped: readonly number[];
}

type Filter = gatewayApi.HTTPRouteFilter | gatewayApi.GRPCRouteFilter;

/** What the filters of a rule make of it. */
interface Filtered {
  readonly part: Partial<HTTPRoute>;
  readonly problem?: Problem | undefined;
  readonly failure?: Problem | undefined;
}

interface Rule {
  readonly name?: string | undefined;
  readonly filters?: readonly Filter[] | undefined;
  readonly backendRefs?: readonly gatewayApi.HTTPBackendRef[] | readonly gatewayApi.GRPCBackendRef[] | undefined;
  readonly timeouts?: gatewayApi.HTTPRouteRule['timeouts'];
  readonly retry?: gatewayApi.HTTPRouteRule['retry'];
}

const unsupported = (type: string): Problem => ({
  reason: 'InvalidFilter',
  message: `unsupported filter type "${type}"`,
});

const headerFilters: ReadonlySet<string> = new Set(['RequestHeaderModifier', 'ResponseHeaderModifier']);

function headersOf(
  filters: readonly Filter[] | undefined,
): { readonly headers: Headers | undefined } | { readonly failure: Problem } {
  let headers: Headers = {};
  for (const filter of filters ?? []) {
    if (!headerFilters.has(filter.type)) continue;
    const request = filter.type === 'RequestHeaderModifier';
    const found = headerOperations(request ? filter.requestHeaderModifier : filter.responseHeaderModifier);
    if ('failure' in found) return found;
    if (found.operations) headers = { ...headers, [request ? 'request' : 'response']: found.operations };
  }
  return { headers: Object.keys(headers).length === 0 ? undefined : headers };
}

function mirrorOf(
  filter: gatewayApi.MirrorFilter,
  owner: BackendOwner,
  context: Context,
): HTTPMirrorPolicy | { readonly problem: Problem } {
  const backend = resolveBackend(filter.backendRef, owner, context);
  const problem = 'failure' in backend ? backend.failure : backend.problem;
  if (problem) return { problem };
  if ('failure' in backend) return { problem: backend.failure };
  const value = mirrorPercentage(filter);
  return { destination: backend.destination, ...(value !== undefined && { percentage: { value } }) };
}

/** A filter that only HTTPRoutes have; undefined: it is not followed. */
function httpFilterPart(filter: gatewayApi.HTTPRouteFilter): Partial<HTTPRoute> | undefined {
  if (filter.type === 'RequestRedirect' && filter.requestRedirect)
    return { redirect: redirectOf(filter.requestRedirect) };
  if (filter.type === 'CORS' && filter.cors) return { corsPolicy: corsPolicyOf(filter.cors) };
  if (filter.type !== 'URLRewrite' || !filter.urlRewrite) return undefined;
  const rewrite = rewriteOf(filter.urlRewrite);
  return rewrite ? { rewrite } : {};
}

/** All but the header filters. */
function applyFilters(filters: readonly Filter[] | undefined, owner: BackendOwner, context: Context): Filtered {
  let part: Partial<HTTPRoute> = {};
  let problem: Problem | undefined;
  for (const filter of filters ?? []) {
    if (headerFilters.has(filter.type)) continue;
    if (filter.type === 'RequestMirror' && filter.requestMirror) {
      const mirror = mirrorOf(filter.requestMirror, owner, context);
      if ('problem' in mirror) problem = mirror.problem;
      else part = { ...part, mirrors: [...(part.mirrors ?? []), mirror] };
      continue;
    }
    const own = owner.kind === 'HTTPRoute' ? httpFilterPart(filter) : undefined;
    if (!own) return { part, failure: unsupported(filter.type) };
    part = { ...part, ...own };
  }
  return { part, problem };
}

/** Conditions under which a call is made again although nothing was said of statuses. */
const alwaysRetried = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'];
const defaultAttempts = 2;

function isZero(duration: string): boolean {
  return !/[1-9]/.test(duration);
}

function retriesOf({ retry, timeouts }: Rule): HTTPRetry | undefined {
  if (!retry) return undefined;
  const { codes = [], attempts = defaultAttempts, backoff } = retry;
  const perTry = timeouts?.backendRequest;
  return {
    attempts,
    ...(attempts > 0 && { retryOn: [...alwaysRetried, ...codes.map(String)].join(',') }),
    ...(backoff !== undefined && !isZero(backoff) && { backoff }),
    ...(perTry !== undefined && !isZero(perTry) && { perTryTimeout: perTry }),
  };
}

/** Without retries the time of one try is that of the call. */
function timeoutOf({ timeouts, retry }: Rule): string | undefined {
  const own = timeouts?.backendRequest;
  const perTry = own !== undefined && !isZero(own) && !retry ? own : undefined;
  const request = timeouts?.request;
  return perTry ?? (request !== undefined && !isZero(request) ? request : undefined);
}

type Destinations =
  | { readonly route: readonly HTTPRouteDestination[]; readonly problem: Problem | undefined }
  | { readonly failure: Problem };

function destinationsOf(rule: Rule, owner: BackendOwner, context: Context): Destinations {
  const route: HTTPRouteDestination[] = [];
  let problem: Problem | undefined;
  for (const { ref, weight } of weighed<gatewayApi.HTTPBackendRef | gatewayApi.GRPCBackendRef>(rule.backendRefs)) {
    const backend = resolveBackend(ref, owner, context);
    if ('failure' in backend) return backend;
    problem = backend.problem ?? problem;
    const other = ref.filters?.find(({ type }) => !headerFilters.has(type));
    if (other) return { failure: unsupported(other.type) };
    const found = headersOf(ref.filters);
    if ('failure' in found) return found;
    route.push({
      destination: backend.destination,
      ...(weight !== undefined && { weight }),
      ...(found.headers && { headers: found.headers }),
    });
  }
  return { route, problem };
}

type Converted = { readonly route: HTTPRoute; readonly problem?: Problem | undefined } | { readonly failure: Problem };

function convertRule(rule: Rule, owner: BackendOwner, context: Context): Converted {
  const headers = headersOf(rule.filters);
  if ('failure' in headers) return headers;
  const filtered = applyFilters(rule.filters, owner, context);
  if (filtered.failure) return { failure: filtered.failure };
  const [retries, timeout] = [retriesOf(rule), timeoutOf(rule)];
  const route: HTTPRoute = {
    ...filtered.part,
    ...(headers.headers && { headers: headers.headers }),
    ...(retries && { retries }),
    ...(timeout !== undefined && { timeout }),
  };
  if (weighed<{ readonly weight?: number | undefined }>(rule.backendRefs).length === 0) {
    // Without anybody to answer, requests fail; a redirect needs nobody.
    if (route.redirect) return { route, problem: filtered.problem };
    return { route: { ...route, directResponse: { status: 500 } }, problem: filtered.problem };
  }
  const destinations = destinationsOf(rule, owner, context);
  if ('failure' in destinations) return destinations;
  return {
    route: { ...route, route: destinations.route },
    problem: joinProblems(destinations.problem, filtered.problem),
  };
}

function convertRules<R extends Rule, M>(
  rules: readonly R[] | undefined,
  matchesOf: (rule: R) => readonly M[] | undefined,
  convertMatch: (match: M) => NonNullable<HTTPRoute['match']>[number],
  owner: BackendOwner & { readonly name: string },
  context: Context,
): ConvertedRules<HTTPRoute> {
  const routes: HTTPRoute[] = [];
  const dropped: number[] = [];
  let problem: Problem | undefined;
  for (const [position, rule] of (rules ?? []).entries()) {
    const converted = convertRule(rule, owner, context);
    if ('failure' in converted) dropped.push(position);
    problem = ('failure' in converted ? converted.failure : converted.problem) ?? problem;
    const action = 'failure' in converted ? { directResponse: { status: 500 } } : converted.route;
    const name = rule.name ?? `${owner.namespace}.${owner.name}.${position}`;
    const matches = matchesOf(rule) ?? [];
    if (matches.length === 0) routes.push({ name, ...action });
    for (const match of matches) {
      const converted = convertMatch(match);
      routes.push({ name, ...(Object.keys(converted).length > 0 && { match: [converted] }), ...action });
    }
  }
  return { routes, problem, dropped };
}

/** @param inMesh for traffic inside the mesh, where grants are not asked for */
export function convertHttpRoute(
  { metadata, spec }: HTTPRouteObject,
  inMesh: boolean,
  context: Context,
): ConvertedRules<HTTPRoute> {
  const owner = { kind: 'HTTPRoute', namespace: metadata.namespace, name: metadata.name, needsGrant: !inMesh };
  return convertRules(spec.rules, (rule) => rule.matches, httpMatch, owner, context);
}

/** As `convertHttpRoute`: a gRPC call is a request for `/service/method`. */
export function convertGrpcRoute(
  { metadata, spec }: GRPCRoute,
  inMesh: boolean,
  context: Context,
): ConvertedRules<HTTPRoute> {
  const owner = { kind: 'GRPCRoute', namespace: metadata.namespace, name: metadata.name, needsGrant: !inMesh };
  return convertRules(spec.rules, (rule) => rule.matches, grpcMatch, owner, context);
}
