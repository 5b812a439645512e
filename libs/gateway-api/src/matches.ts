import type { gatewayApi, HTTPMatchRequest, StringMatch } from '@seine/istio';

/** Matches of routes in the words of Istio's API. Prefixes end at a slash: that is what route semantics `gateway` mean. */

interface ValueMatch {
  readonly type?: 'Exact' | 'RegularExpression' | undefined;
  readonly name: string;
  readonly value: string;
}

/** Of several conditions on one name the first counts. @param caseless names that differ in case only are one */
function valueMatches(
  matches: readonly ValueMatch[] | undefined,
  caseless: boolean,
): Record<string, StringMatch> | undefined {
  if (!matches?.length) return undefined;
  const found: Record<string, StringMatch> = {};
  const seen = new Set<string>();
  for (const { type, name, value } of matches) {
    const key = caseless ? name.toLowerCase() : name;
    if (seen.has(key)) continue;
    seen.add(key);
    found[name] = type === 'RegularExpression' ? { regex: value } : { exact: value };
  }
  return found;
}

function pathMatch(path: gatewayApi.HTTPRouteMatch['path']): StringMatch {
  const value = path?.value ?? '/';
  switch (path?.type) {
    case 'Exact':
      return { exact: value };
    case 'RegularExpression':
      return { regex: value };
    default:
      return { prefix: value === '/' ? value : value.replace(/\/$/, '') };
  }
}

export function httpMatch({ path, headers, queryParams, method }: gatewayApi.HTTPRouteMatch): HTTPMatchRequest {
  const [header, query] = [valueMatches(headers, true), valueMatches(queryParams, false)];
  return {
    uri: pathMatch(path),
    ...(header && { headers: header }),
    ...(query && { queryParams: query }),
    ...(method && { method: { exact: method } }),
  };
}

/** The path of a gRPC call is `/service/method`. */
function methodMatch({ type, service, method }: NonNullable<gatewayApi.GRPCRouteMatch['method']>): StringMatch {
  const regular = type === 'RegularExpression';
  if (!method) return regular ? { regex: `/${service ?? '[^/]+'}/.+` } : { prefix: `/${service ?? ''}/` };
  if (!service) return { regex: `/[^/]+/${method}` };
  return regular ? { regex: `/${service}/${method}` } : { exact: `/${service}/${method}` };
}

export function grpcMatch({ method, headers }: gatewayApi.GRPCRouteMatch): HTTPMatchRequest {
  const header = valueMatches(headers, true);
  return { ...(method && { uri: methodMatch(method) }), ...(header && { headers: header }) };
}
