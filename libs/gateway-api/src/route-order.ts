import type { HTTPMatchRequest, HTTPRoute } from '@seine/istio';

/** Exact paths go before prefixes, these before expressions. */
function pathRank({ uri }: HTTPMatchRequest): number {
  if (!uri) return -1;
  if (uri.exact !== undefined) return 3;
  if (uri.prefix !== undefined) return 2;
  return uri.regex === undefined ? -1 : 1;
}

function pathLength({ uri }: HTTPMatchRequest): number {
  return (uri?.exact ?? uri?.prefix ?? uri?.regex ?? '').length;
}

function size(map: object | undefined): number {
  return Object.keys(map ?? {}).length;
}

function compareMatches(a: HTTPMatchRequest, b: HTTPMatchRequest): number {
  return (
    // What is for one port only goes before what is for all.
    Number(b.port !== undefined) - Number(a.port !== undefined) ||
    pathRank(b) - pathRank(a) ||
    pathLength(b) - pathLength(a) ||
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    size(b.headers) - size(a.headers) ||
    size(b.queryParams) - size(a.queryParams)
  );
}

/**
 * Rules of one host, of all routes together, in the order that the specification asks for: the most exact first. Equal
 * ones stay in the order given, which is oldest route first. Each rule has one match at most.
 */
export function inOrder(rules: readonly HTTPRoute[]): readonly HTTPRoute[] {
  return [...rules].sort((a, b) => {
    const [first, second] = [a.match?.[0], b.match?.[0]];
    if (!first || !second) return Number(!first) - Number(!second);
    return compareMatches(first, second);
  });
}
