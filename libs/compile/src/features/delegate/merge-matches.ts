import type { HTTPMatchRequest, StringMatch } from '@seine/istio';

type StringMatches = Readonly<Record<string, StringMatch>> | undefined;

/**
 * The conditions of a root route and its delegate's, joined by AND: every pair that can hold together becomes a match. An
 * empty list stands for "every request". Undefined: a match of the delegate lies outside all of the root's, so the
 * delegate's route must not be used.
 */
export function mergeMatches(
  root: readonly HTTPMatchRequest[],
  delegate: readonly HTTPMatchRequest[],
): HTTPMatchRequest[] | undefined {
  if (root.length === 0) return [...delegate];
  if (delegate.length === 0) return [...root];
  const merged: HTTPMatchRequest[] = [];
  for (const inner of delegate) {
    const within = root.filter((outer) => !conflicts(outer, inner));
    if (within.length === 0) return undefined;
    merged.push(...within.map((outer) => joinMatches(outer, inner)));
  }
  return merged;
}

function joinMatches(outer: HTTPMatchRequest, inner: HTTPMatchRequest): HTTPMatchRequest {
  return {
    name: [outer.name, inner.name].filter(Boolean).join('-') || undefined,
    uri: inner.uri ?? outer.uri,
    scheme: inner.scheme ?? outer.scheme,
    method: inner.method ?? outer.method,
    authority: inner.authority ?? outer.authority,
    headers: { ...outer.headers, ...inner.headers },
    withoutHeaders: { ...outer.withoutHeaders, ...inner.withoutHeaders },
    queryParams: { ...outer.queryParams, ...inner.queryParams },
    port: inner.port ?? outer.port,
    sourceLabels: { ...outer.sourceLabels, ...inner.sourceLabels },
    sourceNamespace: inner.sourceNamespace ?? outer.sourceNamespace,
    gateways: inner.gateways?.length ? inner.gateways : outer.gateways,
    ignoreUriCase: inner.ignoreUriCase ?? outer.ignoreUriCase,
    statPrefix: inner.statPrefix ?? outer.statPrefix,
  };
}

function conflicts(outer: HTTPMatchRequest, inner: HTTPMatchRequest): boolean {
  return requestConflicts(outer, inner) || clientConflicts(outer, inner);
}

function requestConflicts(outer: HTTPMatchRequest, inner: HTTPMatchRequest): boolean {
  return (
    isOutside(outer.uri, inner.uri) ||
    isOutside(outer.scheme, inner.scheme) ||
    isOutside(outer.method, inner.method) ||
    isOutside(outer.authority, inner.authority) ||
    someOutside(outer.headers, inner.headers) ||
    someOutside(outer.withoutHeaders, inner.withoutHeaders) ||
    someOutside(outer.queryParams, inner.queryParams) ||
    (outer.ignoreUriCase ?? false) !== (inner.ignoreUriCase ?? false)
  );
}

function clientConflicts(outer: HTTPMatchRequest, inner: HTTPMatchRequest): boolean {
  return (
    differs(outer.port, inner.port) ||
    differs(outer.sourceNamespace, inner.sourceNamespace) ||
    Object.entries(inner.sourceLabels ?? {}).some(([key, value]) => differs(outer.sourceLabels?.[key], value)) ||
    gatewaysOutside(outer.gateways ?? [], inner.gateways ?? [])
  );
}

/** Both are stated and not the same. */
function differs<T>(outer: T | undefined, inner: T | undefined): boolean {
  return Boolean(outer) && Boolean(inner) && outer !== inner;
}

function gatewaysOutside(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.length > 0 && !inner.every((gateway) => outer.includes(gateway));
}

function someOutside(outer: StringMatches, inner: StringMatches): boolean {
  return Object.entries(inner ?? {}).some(([key, match]) => isOutside(outer?.[key], match));
}

/** Whether the inner match may hold for values that the outer one refuses. Regexes cannot be compared with anything. */
function isOutside(outer: StringMatch | undefined, inner: StringMatch | undefined): boolean {
  if (!outer || !inner) return false;
  if (outer.regex || inner.regex) return true;
  if (outer.exact) return inner.exact !== outer.exact;
  if (outer.prefix) return !(inner.exact ?? inner.prefix ?? '').startsWith(outer.prefix);
  return false;
}
