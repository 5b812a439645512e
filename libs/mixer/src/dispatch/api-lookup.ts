import type { StringMap, Value } from '../attributes/value-type.js';
import { maxMatched } from '../expressions/patterns.js';
import { noApi } from '../policy/compile-api.js';
import type { ApiKey, HttpApi, MixerPolicy } from '../policy/policy.js';

/** What of a request says which operation of an API it is. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query. */
  readonly urlPath: string;
  readonly query: StringMap;
  readonly headers: StringMap;
}

const indexes = new WeakMap<MixerPolicy, Map<string, readonly HttpApi[]>>();
const none: readonly HttpApi[] = [noApi];

/** The APIs of a service. @param host `destination.service.host` */
export function apisOf(policy: MixerPolicy, host: string): readonly HttpApi[] {
  if (policy.apis.length === 0) return none;
  let index = indexes.get(policy);
  if (!index) indexes.set(policy, (index = indexOf(policy)));
  return index.get(host) ?? index.get('*') ?? none;
}

function indexOf({ apis: bindings }: MixerPolicy): Map<string, readonly HttpApi[]> {
  const of = (host: string): readonly HttpApi[] => bindings.flatMap(({ hosts, apis }) => (hosts.has(host) ? apis : []));
  const forAll = of('*');
  const hosts = new Set(bindings.flatMap((binding) => [...binding.hosts]));
  const index = new Map([...hosts].map((host) => [host, host === '*' ? forAll : [...forAll, ...of(host)]]));
  if (forAll.length > 0) index.set('*', forAll);
  return index;
}

/** An attribute as the operation says that a request is; else as its API says. */
export function apiAttribute(
  apis: readonly HttpApi[],
  name: string,
  { method, urlPath }: Pick<ApiRequest, 'method' | 'urlPath'>,
): Value | undefined {
  for (const { attributes, operations } of apis) {
    const operation =
      urlPath.length <= maxMatched &&
      operations.find((one) => (one.method === undefined || one.method === method) && one.path.test(urlPath));
    const value = (operation || undefined)?.attributes.get(name) ?? attributes.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The caller's key, where one of the APIs looks for it. */
export function apiKeyOf(apis: readonly HttpApi[], request: Pick<ApiRequest, 'query' | 'headers'>): string | undefined {
  for (const { keys } of apis)
    for (const key of keys) {
      const found = findKey(key, request);
      if (found !== undefined) return found;
    }
  return undefined;
}

function findKey(
  { query, header, cookie }: ApiKey,
  request: Pick<ApiRequest, 'query' | 'headers'>,
): string | undefined {
  if (query !== undefined) return request.query.get(query);
  if (header !== undefined) return request.headers.get(header);
  return cookie === undefined ? undefined : cookieOf(request.headers.get('cookie') ?? '', cookie);
}

function cookieOf(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}
