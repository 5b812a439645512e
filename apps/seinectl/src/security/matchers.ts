import { BlockList, isIP } from 'node:net';
import { re2Matches } from '@seine/istio';
import type { Matcher } from './rbac-filters.js';

/** A request that is thought of. */
export interface ImaginedRequest {
  /** `spiffe://…`; undefined = a caller without a certificate. */
  readonly principal: string | undefined;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** In lower case; a header that is not here is not on the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Claims of a verified token; undefined = no token. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  /** Of the caller; undefined = not said. */
  readonly ip: string | undefined;
  /** Of the workload. */
  readonly port: number | undefined;
}

/** Whether a matcher holds; `unknown`: what would have to be said to tell. */
export type Truth = boolean | { readonly unknown: readonly string[] };

const unknown = (...what: readonly string[]): Truth => ({ unknown: what });

function not(truth: Truth): Truth {
  return typeof truth === 'boolean' ? !truth : truth;
}

/** All must hold: one that does not decides, whatever is unknown of others. */
export function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  const missing = truths.flatMap((truth) => (typeof truth === 'boolean' ? [] : truth.unknown));
  return missing.length === 0 || { unknown: [...new Set(missing)] };
}

export function some(truths: readonly Truth[]): Truth {
  return not(every(truths.map(not)));
}

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const list = (value: unknown): readonly Matcher[] => (Array.isArray(value) ? (value as readonly Matcher[]) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Expressions must match the whole text. */
function matchesRegex(value: unknown, actual: string): boolean {
  return re2Matches(`^(?:${text(fields(value)['regex'])})$`, actual);
}

function matchString(matcher: Fields, actual: string): Truth {
  const fold = (word: string): string => (matcher['ignore_case'] === true ? word.toLowerCase() : word);
  for (const [form, value] of Object.entries(matcher)) {
    const wanted = fold(text(value));
    if (form === 'exact') return fold(actual) === wanted;
    if (form === 'prefix') return fold(actual).startsWith(wanted);
    if (form === 'suffix') return fold(actual).endsWith(wanted);
    if (form === 'contains') return fold(actual).includes(wanted);
    if (form === 'safe_regex') return matchesRegex(value, actual);
  }
  // Proto JSON leaves out an exact match of the empty text.
  return Object.keys(matcher).every((form) => form === 'ignore_case')
    ? actual === ''
    : unknown(Object.keys(matcher).join());
}

const pseudoHeaders = (request: ImaginedRequest): Readonly<Record<string, string | undefined>> => ({
  ':method': request.method,
  ':path': request.path,
  ':authority': request.headers['host'],
});

function matchHeader(matcher: Fields, request: ImaginedRequest): Truth {
  const name = text(matcher['name']).toLowerCase();
  const actual = name.startsWith(':') ? pseudoHeaders(request)[name] : request.headers[name];
  if (name === ':authority' && actual === undefined) return unknown('--header host=…');
  if (name.startsWith(':') && actual === undefined) return unknown(name);
  const test = (): Truth => {
    if ('present_match' in matcher) return (actual !== undefined) === matcher['present_match'];
    if (actual === undefined) return false;
    return 'string_match' in matcher ? matchString(fields(matcher['string_match']), actual) : true;
  };
  return matcher['invert_match'] === true ? not(test()) : test();
}

function inRange(range: Fields, address: string | undefined): Truth {
  if (address === undefined) return unknown('--ip');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const prefix = text(range['address_prefix']);
  if ((isIP(prefix) === 6 ? 'ipv6' : 'ipv4') !== family) return false;
  const block = new BlockList();
  block.addSubnet(prefix, Number(range['prefix_len'] ?? 0), family);
  return block.check(address, family);
}

/** `*` stands for a segment, `**` for any rest. */
function matchTemplate(template: string, path: string): boolean {
  const expression = template
    .split('/')
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${expression}$`).test(path);
}

function matchValue(matcher: Fields, actual: unknown): Truth {
  const of = (form: string): Fields => fields(matcher[form]);
  if ('or_match' in matcher) return some(list(of('or_match')['value_matchers']).map((one) => matchValue(one, actual)));
  if ('list_match' in matcher) {
    const oneOf = fields(of('list_match')['one_of']);
    return Array.isArray(actual) ? some(actual.map((item: unknown) => matchValue(oneOf, item))) : false;
  }
  if ('string_match' in matcher) return typeof actual === 'string' ? matchString(of('string_match'), actual) : false;
  if ('present_match' in matcher) return (actual !== undefined) === matcher['present_match'];
  return unknown(`what ${Object.keys(matcher).join()} compares`);
}

/** Claims that OAuth writes as lists separated by spaces count as lists too. */
const spaceDelimited = ['permission', 'scope'];

function matchMetadata(matcher: Fields, request: ImaginedRequest): Truth {
  const filter = text(matcher['filter']);
  if (filter !== 'envoy.filters.http.jwt_authn') return unknown(`what the filter ${filter} finds`);
  const keys = list(matcher['path']).map((segment) => text(segment['key']));
  const payload = request.claims && { payload: request.claims };
  const value = keys.reduce<unknown>((at, key) => fields(at)[key], payload);
  const claim = keys.at(-1) ?? '';
  const read = spaceDelimited.includes(claim) && typeof value === 'string' ? value.split(' ') : value;
  const truth = matchValue(fields(matcher['value']), read);
  return matcher['invert'] === true ? not(truth) : truth;
}

function matchPrincipalName({ principal }: ImaginedRequest, authenticated: Fields): Truth {
  if (principal === undefined) return false;
  return 'principal_name' in authenticated ? matchString(fields(authenticated['principal_name']), principal) : true;
}

type Test = (value: Fields, request: ImaginedRequest) => Truth;

const all =
  (field: string): Test =>
  (value, request) =>
    every(list(value[field]).map((one) => holds(one, request)));
const any =
  (field: string): Test =>
  (value, request) =>
    some(list(value[field]).map((one) => holds(one, request)));
const negated: Test = (value, request) => not(holds(value, request));
const address: Test = (value, { ip }) => inRange(value, ip);
const withoutQuery = ({ path }: ImaginedRequest): string => path.replace(/[?#].*$/, '');

/** By the field that says which matcher it is: those that Seine writes. Others cannot be told. */
const tests: Readonly<Record<string, Test>> = {
  and_rules: all('rules'),
  and_ids: all('ids'),
  or_rules: any('rules'),
  or_ids: any('ids'),
  not_rule: negated,
  not_id: negated,
  header: matchHeader,
  url_path: (value, request) => matchString(fields(value['path']), withoutQuery(request)),
  uri_template: (value, request) =>
    matchTemplate(text(fields(value['typed_config'])['path_template']), withoutQuery(request)),
  authenticated: (value, request) => matchPrincipalName(request, value),
  direct_remote_ip: address,
  remote_ip: address,
  source_ip: address,
  metadata: matchMetadata,
};

/** Whether a permission or a principal of Envoy's RBAC holds for a request (envoy.config.rbac.v3). */
export function holds(matcher: Matcher, request: ImaginedRequest): Truth {
  const [form, value] = Object.entries(matcher)[0] ?? ['nothing', undefined];
  if (form === 'any') return true;
  if (form === 'destination_port') return request.port === undefined ? unknown('--port') : request.port === value;
  return tests[form]?.(fields(value), request) ?? unknown(form);
}
