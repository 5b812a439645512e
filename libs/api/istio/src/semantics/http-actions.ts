import type {
  CorsPolicy,
  HTTPMatchRequest,
  HTTPDirectResponse,
  HTTPFaultInjection,
  HTTPRedirect,
  HTTPRetry,
  HTTPRewrite,
} from '../networking/virtual-service.js';
import { parseDuration } from '../duration.js';
import { grpcStatusNames } from '../grpc-status.js';
import { checkHeaderName, checkRegex } from './field-checks.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';
import { checkStringMatch } from './string-match.js';

/** @param matches of the same route */
export function checkRedirect(
  redirect: HTTPRedirect | undefined,
  matches: readonly HTTPMatchRequest[],
  scope: Scope,
): void {
  if (!redirect) return;
  const { uri, authority, scheme, port, derivePort, redirectCode, prefixRewrite } = redirect;
  const given = [uri, authority, scheme, port, derivePort, redirectCode, prefixRewrite].some(Boolean);
  if (!given) scope.error('redirect must specify uri, authority, scheme, port or redirectCode');
  if (uri && prefixRewrite) scope.error('redirect cannot contain both uri and prefixRewrite');
  if (prefixRewrite && matches.some((match) => match.uri && match.uri.prefix === undefined))
    scope.at('prefixRewrite').error('requires that every uri of the rule matches by prefix');
  if (scheme && scheme !== 'http' && scheme !== 'https')
    scope.at('scheme').error(`must be http or https, but is ${JSON.stringify(scheme)}`);
  if (redirectCode && ![301, 302, 303, 307, 308].includes(redirectCode))
    scope.at('redirectCode').error(`must be 301, 302, 303, 307 or 308, but is ${redirectCode}`);
}

/** Envoy's default limit for the body of a direct response is 4 KiB; Istio allows as much as one megabyte. */
const maxBody = 1024 * 1024;

export function checkDirectResponse(response: HTTPDirectResponse | undefined, scope: Scope): void {
  if (!response) return;
  if (response.status < 200 || response.status > 599)
    scope.at('status').error(`must be an HTTP status between 200 and 599, but is ${response.status}`);
  const size = response.body?.string?.length ?? ((response.body?.bytes?.length ?? 0) * 3) / 4;
  if (size > maxBody) scope.at('body').error('must not be larger than 1 MB');
}

export function checkRewrite(rewrite: HTTPRewrite | undefined, scope: Scope): void {
  if (!rewrite) return;
  const { uri, authority, uriRegexRewrite } = rewrite;
  if (!uri && !authority && !uriRegexRewrite) scope.error('rewrite must specify uri, uriRegexRewrite or authority');
  if (uri && uriRegexRewrite) scope.error('rewrite may contain only one of uri and uriRegexRewrite');
  if (!uriRegexRewrite) return;
  const at = scope.at('uriRegexRewrite');
  if (!uriRegexRewrite.match || uriRegexRewrite.rewrite === undefined)
    at.error('uriRegexRewrite requires both match and rewrite');
  if (uriRegexRewrite.match) checkRegex(uriRegexRewrite.match, at.at('match'));
}

/** Envoy's conditions, for HTTP and gRPC ("x-envoy-retry-on", "x-envoy-retry-grpc-on"). */
const retryConditions: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

function isRetryCondition(condition: string): boolean {
  return retryConditions.has(condition) || /^[1-5]\d\d$/.test(condition);
}

export function checkRetries(retries: HTTPRetry | undefined, scope: Scope): void {
  if (!retries) return;
  const { attempts, perTryTimeout, retryOn, retryRemoteLocalities } = retries;
  const more = [perTryTimeout, retryOn, retryRemoteLocalities].some((field) => field !== undefined && field !== '');
  if (attempts === 0 && more) scope.error('retries are turned off by attempts: 0, so no other field may be set');
  for (const condition of (retryOn ?? '').split(',').map((word) => word.trim()))
    if (condition !== '' && !isRetryCondition(condition))
      scope.at('retryOn').warning(`${JSON.stringify(condition)} is neither a condition for retries nor a status code`);
}

function checkAbort({ abort }: HTTPFaultInjection, scope: Scope): void {
  if (!abort) return;
  const { httpStatus, grpcStatus, http2Error } = abort;
  if (httpStatus === undefined && grpcStatus === undefined && http2Error === undefined)
    scope.error('an abort requires httpStatus or grpcStatus');
  if (httpStatus !== undefined && (httpStatus < 200 || httpStatus > 599))
    scope.at('httpStatus').error(`HTTP status ${httpStatus} is not in range 200-599`);
  if (grpcStatus !== undefined && !grpcStatusNames.includes(grpcStatus))
    scope.at('grpcStatus').error(`${JSON.stringify(grpcStatus)} is not the name of a gRPC status, as UNAVAILABLE`);
  if (http2Error !== undefined) scope.at('http2Error').error('HTTP/2 abort faults are not supported, as in Istio');
}

export function checkFault(fault: HTTPFaultInjection | undefined, scope: Scope): void {
  if (!fault) return;
  if (!fault.abort && !fault.delay) scope.error('a fault requires delay or abort');
  checkAbort(fault, scope.at('abort'));
  if (fault.delay?.exponentialDelay !== undefined)
    scope.at('delay', 'exponentialDelay').error('exponential delays are not supported, as in Istio');
  else if (fault.delay && fault.delay.fixedDelay === undefined) scope.at('delay').error('a delay requires fixedDelay');
}

const corsMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  '*',
]);

export function checkCors(cors: CorsPolicy | undefined, scope: Scope): void {
  if (!cors) return;
  each(cors.allowOrigins, scope.at('allowOrigins'), (origin, at) => {
    if (!origin.exact && !origin.prefix && !origin.regex) at.error('an origin requires exact, prefix or regex');
    checkStringMatch(origin, at);
  });
  each(cors.allowMethods, scope.at('allowMethods'), (method, at) => {
    if (!corsMethods.has(method)) at.error(`${JSON.stringify(method)} is not an HTTP method`);
  });
  for (const field of ['allowHeaders', 'exposeHeaders'] as const)
    each(cors[field], scope.at(field), (name, at) => checkHeaderName(name, at));
  const maxAge = cors.maxAge === undefined ? 0 : (parseDuration(cors.maxAge) ?? 0);
  if (maxAge % 1000 !== 0) scope.at('maxAge').error('must be whole seconds');
}
