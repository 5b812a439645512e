import type { CorsPolicy, gatewayApi, HeaderOperations, HTTPRedirect, HTTPRewrite, StringMatch } from '@seine/istio';
import type { Problem } from './condition.js';

/** Filters of routes in the words of Istio's API. */

function isHeaderValue(value: string): boolean {
  // eslint-disable-next-line no-control-regex -- these are the characters that a header must not hold
  return !/[\0-\x08\n-\x1f\x7f]/.test(value);
}

type Headers = NonNullable<gatewayApi.HeaderFilter['set']>;

/** By lower-case name; of several entries for one header the first counts. */
function valuesByName(headers: Headers | undefined): Record<string, string> | undefined {
  if (!headers?.length) return undefined;
  const values: Record<string, string> = {};
  for (const { name, value } of headers) values[name.toLowerCase()] ??= value;
  return values;
}

export function headerOperations(
  filter: gatewayApi.HeaderFilter | undefined,
): { readonly operations: HeaderOperations | undefined } | { readonly failure: Problem } {
  if (!filter) return { operations: undefined };
  const bad = [...(filter.set ?? []), ...(filter.add ?? [])].find(({ value }) => !isHeaderValue(value));
  if (bad)
    return {
      failure: { reason: 'InvalidFilter', message: `header "${bad.name}" value contains invalid characters` },
    };
  const [add, set] = [valuesByName(filter.add), valuesByName(filter.set)];
  return {
    operations: {
      ...(add && { add }),
      ...(filter.remove?.length && { remove: filter.remove }),
      ...(set && { set }),
    },
  };
}

const defaultRedirectCode = 302;

/** Without a port that of the scheme, if one is given, else that of the request. */
export function redirectOf(filter: gatewayApi.RedirectFilter): HTTPRedirect {
  const { scheme, hostname, port, path, statusCode = defaultRedirectCode } = filter;
  return {
    redirectCode: statusCode,
    ...(hostname !== undefined && { authority: hostname }),
    ...(scheme !== undefined && { scheme }),
    ...(port === undefined
      ? { derivePort: scheme === undefined ? 'FROM_REQUEST_PORT' : 'FROM_PROTOCOL_DEFAULT' }
      : { port }),
    ...(path?.type === 'ReplaceFullPath' && { uri: path.replaceFullPath ?? '/' }),
    ...(path?.type === 'ReplacePrefixMatch' && { prefixRewrite: path.replacePrefixMatch?.replace(/\/$/, '') || '/' }),
  };
}

/** Undefined where nothing is changed. */
export function rewriteOf({ hostname, path }: gatewayApi.RewriteFilter): HTTPRewrite | undefined {
  const rewrite: HTTPRewrite = {
    ...(hostname !== undefined && { authority: hostname }),
    // `/` takes the prefix away: route semantics `gateway` see to it that one slash stays.
    ...(path?.type === 'ReplacePrefixMatch' && { uri: path.replacePrefixMatch?.replace(/\/$/, '') || '/' }),
    ...(path?.type === 'ReplaceFullPath' && {
      uriRegexRewrite: { match: '/.*', rewrite: path.replaceFullPath ?? '/' },
    }),
  };
  return Object.keys(rewrite).length === 0 ? undefined : rewrite;
}

/** What an origin looks like: scheme, host, perhaps a port. */
const anyOrigin = '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+$';

function originMatch(origin: string): StringMatch {
  if (origin === '*') return { regex: anyOrigin };
  if (!origin.includes('*')) return { exact: origin };
  if (origin.indexOf('*') === origin.length - 1) return { prefix: origin.slice(0, -1) };
  return { regex: `^${escapeRegex(origin).replaceAll('\\*', '.*')}$` };
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

const defaultMaxAge = 5;

export function corsPolicyOf(filter: gatewayApi.CorsFilter): CorsPolicy {
  const { allowOrigins, allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge = defaultMaxAge } = filter;
  return {
    ...(allowOrigins?.length && { allowOrigins: allowOrigins.filter((origin) => origin !== '').map(originMatch) }),
    ...(allowCredentials && { allowCredentials: true }),
    ...(allowMethods?.length && { allowMethods }),
    ...(allowHeaders?.length && { allowHeaders }),
    ...(exposeHeaders?.length && { exposeHeaders }),
    ...(maxAge > 0 && { maxAge: `${maxAge}s` }),
    unmatchedPreflights: 'IGNORE',
  };
}

/** Per cent of the requests that are mirrored; undefined: all. */
export function mirrorPercentage({ fraction, percent }: gatewayApi.MirrorFilter): number | undefined {
  if (fraction) return (100 * fraction.numerator) / (fraction.denominator ?? 100);
  return percent;
}
