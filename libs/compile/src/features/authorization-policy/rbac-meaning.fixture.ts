import type { Asked } from '@seine/testing';

/** What Envoy makes of its RBAC rules, of those parts that the compiler emits: for rules as JSON with Envoy's field names. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
interface Fields {
  readonly [key: string]: Json;
}

const listIn = (value: Json | undefined, key: string) =>
  ((value as Fields | undefined)?.[key] ?? []) as readonly Fields[];

function textMatches(matcher: Fields, text: string): boolean {
  const fold = (value: string) => (matcher['ignore_case'] === true ? value.toLowerCase() : value);
  const found = fold(text);
  for (const [how, value] of Object.entries(matcher)) {
    if (how === 'exact') return found === fold(value as string);
    if (how === 'prefix') return found.startsWith(fold(value as string));
    if (how === 'suffix') return found.endsWith(fold(value as string));
    if (how === 'contains') return found.includes(fold(value as string));
    if (how === 'safe_regex') return wholly((value as Fields)['regex'] as string, text);
  }
  throw new Error(`no matcher of texts: ${JSON.stringify(matcher)}`);
}

/** RE2 knows `(?i)` and `(?s)` at the beginning. */
function wholly(regex: string, text: string): boolean {
  const flags = regex.startsWith('(?i)') ? 'is' : 's';
  return new RegExp(`^(?:${regex.replace(/^\(\?[is]\)/, '')})$`, flags).test(text);
}

function headerMatches(matcher: Fields, asked: Asked): boolean {
  const name = (matcher['name'] as string).toLowerCase();
  const pseudo: Readonly<Record<string, string>> = {
    ':method': asked.method,
    ':authority': asked.host,
    ':path': asked.target,
  };
  const value = pseudo[name] ?? asked.headers[name];
  if (matcher['present_match'] === true) return value !== undefined;
  return value !== undefined && textMatches(matcher['string_match'] as Fields, value);
}

function rangeHolds(range: Fields, address: string): boolean {
  const bits = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - ((range['prefix_len'] as number | undefined) ?? 0));
  return Math.floor(bits(range['address_prefix'] as string) / size) === Math.floor(bits(address) / size);
}

function valueMatches(matcher: Fields, value: Json | undefined): boolean {
  if (matcher['present_match'] === true) return value !== undefined;
  if (matcher['or_match'])
    return listIn(matcher['or_match'], 'value_matchers').some((item) => valueMatches(item, value));
  if (matcher['list_match']) {
    const one = (matcher['list_match'] as Fields)['one_of'] as Fields;
    return Array.isArray(value) && (value as readonly Json[]).some((item) => valueMatches(one, item));
  }
  return typeof value === 'string' && textMatches(matcher['string_match'] as Fields, value);
}

function metadataMatches({ path, value }: Fields, { claims }: Asked): boolean {
  const keys = (path as readonly Fields[]).map(({ key }) => key as string);
  if (keys[0] !== 'payload') throw new Error(`no metadata at ${keys.join('.')}`);
  const found = keys
    .slice(1)
    .reduce<Json | undefined>((at, key) => (at as Fields | undefined)?.[key], claims as Fields);
  return valueMatches(value as Fields, found);
}

const pathOf = ({ target }: Asked) => target.split(/[?#]/)[0] ?? '';

function templateMatches(template: string, path: string): boolean {
  const regex = template.split('/').map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]+' : escape(part)));
  return new RegExp(`^${regex.join('/')}$`).test(path);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

type Meaning = (value: Json, asked: Asked) => boolean;

const meanings: Readonly<Record<string, Meaning>> = {
  any: () => true,
  and_rules: (value, asked) => listIn(value, 'rules').every((rule) => holds(rule, asked)),
  or_rules: (value, asked) => listIn(value, 'rules').some((rule) => holds(rule, asked)),
  not_rule: (value, asked) => !holds(value as Fields, asked),
  and_ids: (value, asked) => listIn(value, 'ids').every((id) => holds(id, asked)),
  or_ids: (value, asked) => listIn(value, 'ids').some((id) => holds(id, asked)),
  not_id: (value, asked) => !holds(value as Fields, asked),
  header: (value, asked) => headerMatches(value as Fields, asked),
  url_path: (value, asked) => textMatches((value as Fields)['path'] as Fields, pathOf(asked)),
  uri_template: (value, asked) =>
    templateMatches(((value as Fields)['typed_config'] as Fields)['path_template'] as string, pathOf(asked)),
  destination_port: (value, asked) => value === asked.port,
  direct_remote_ip: (value, asked) => rangeHolds(value as Fields, asked.sourceIp),
  remote_ip: (value, asked) => rangeHolds(value as Fields, asked.remoteIp),
  metadata: (value, asked) => metadataMatches(value as Fields, asked),
  authenticated: (value, { identity }) =>
    identity !== undefined && textMatches((value as Fields)['principal_name'] as Fields, `spiffe://${identity}`),
};

function holds(matcher: Fields, asked: Asked): boolean {
  const [entry, ...more] = Object.entries(matcher);
  const meaning = entry && meanings[entry[0]];
  if (!meaning || more.length > 0) throw new Error(`no matcher: ${JSON.stringify(matcher)}`);
  return meaning(entry[1], asked);
}

/** Whether a principal is met. */
export function principalHolds(principal: Json, asked: Asked): boolean {
  return holds(principal as Fields, asked);
}

/** Whether the filters let a request pass, in their order; rules without an action are ALLOW, the default. */
export function passes(filters: readonly Json[], asked: Asked): boolean {
  return filters.every((filter) => {
    const rules = ((filter as Fields)['typed_config'] as Fields)['rules'] as Fields | undefined;
    if (!rules || rules['action'] === 'LOG') return true;
    const matched = Object.values((rules['policies'] ?? {}) as Fields).some(
      (policy) =>
        listIn(policy, 'permissions').some((permission) => holds(permission, asked)) &&
        listIn(policy, 'principals').some((principal) => holds(principal, asked)),
    );
    return rules['action'] === 'DENY' ? !matched : matched;
  });
}
