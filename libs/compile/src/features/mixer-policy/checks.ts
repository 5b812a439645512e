import { always, and, constantFormula, type Formula, isAlways, never, not, or } from './formula.js';
import type { ProxyView } from './proxy-view.js';
import { refusal, type Refusal } from './refusal.js';
import type { Case, Text } from './term.js';
import { translateValue } from './translate.js';

/** What a handler is asked of a request: `spec` of both as mixer has them. */
export interface Check {
  /** Of the handler, without its kind: `whitelistip.default`. */
  readonly handler: string;
  readonly adapter: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly template: string;
  /** Of a listentry: the expression of its value. */
  readonly value: string | undefined;
}

/** What a proxy can tell of an answer of a handler, where the handler is asked at all. */
export interface Answer {
  /** When it refuses, and what clients get. */
  readonly refusals: readonly { readonly when: Formula; readonly refusal: Refusal }[];
  /** When it surely does not refuse, and does not fail. */
  readonly passes: Formula;
  /** Why it is not known in all cases. */
  readonly unknown: readonly string[];
}

const rpcCodes = { ok: 0, permissionDenied: 7 } as const;

function onlyMixer(why: string): Answer {
  return { refusals: [], passes: never, unknown: [why] };
}

/** A field of an adapter's parameters, which may be written as in YAML of old: `provider_url`. */
function field(params: Check['params'], name: string): unknown {
  return params[name] ?? params[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

export function answerOf(check: Check, view: ProxyView): Answer {
  if (check.adapter === 'denier') return denier(check);
  if (check.adapter === 'listchecker' || check.adapter === 'list') return list(check, view);
  return onlyMixer(`the adapter ${check.adapter} runs in mixer`);
}

/** Says no, with the status of its parameters. */
function denier({ params, template, handler }: Check): Answer {
  if (template !== 'checknothing') return onlyMixer(`denier takes ${template} in mixer`);
  const status = field(params, 'status') ?? {};
  if (!isFields(status) || !knowsAll(params, ['status', ...validity]) || !knowsAll(status, ['code', 'message']))
    return onlyMixer(unread);
  const { code = rpcCodes.permissionDenied, message = '' } = status;
  if (!Number.isInteger(code) || typeof message !== 'string') return onlyMixer(unread);
  if (code === rpcCodes.ok) return { refusals: [], passes: always, unknown: [] };
  const made = refusal(Number(code), handler, message);
  if (!made) return onlyMixer(`Envoy has no status for the code ${String(code)}`);
  return { refusals: [{ when: always, refusal: made }], passes: never, unknown: [] };
}

/** How long answers may be kept: nothing that is decided in the proxy has to be. */
const validity = ['validDuration', 'validUseCount', 'cachingInterval', 'cachingUseCount'];
const unread = 'its handler has parameters that mixer has to make sense of';

function isFields(value: unknown): value is Check['params'] {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Mixer takes no parameters that it does not know: what is misspelt must not be overlooked here either. */
function knowsAll(params: Check['params'], known: readonly string[]): boolean {
  return Object.keys(params).every((key) =>
    known.includes(key.replace(/_[a-z]/g, (part) => part.slice(1).toUpperCase())),
  );
}

const entryTypes = ['STRINGS', 'CASE_INSENSITIVE_STRINGS', 'IP_ADDRESSES', 'REGEX'] as const;
type EntryType = (typeof entryTypes)[number];

/** Each entry is a matcher in each listener, tried one after the other. */
const maxEntries = 500;

interface List {
  readonly type: EntryType;
  readonly entries: readonly string[];
  readonly black: boolean;
}

const listParams = ['providerUrl', 'refreshInterval', 'ttl', 'overrides', 'entryType', 'blacklist', ...validity];

function readList({ params }: Check): List | string {
  if (field(params, 'providerUrl')) return 'the list is fetched, and so in mixer';
  const written = field(params, 'entryType') ?? 'STRINGS';
  const type = typeof written === 'number' ? entryTypes[written] : entryTypes.find((one) => one === written);
  const { blacklist: black = false, overrides: entries = [] } = params;
  if (!knowsAll(params, listParams) || !type || typeof black !== 'boolean' || !isTexts(entries)) return unread;
  if (type === 'REGEX' || type === 'CASE_INSENSITIVE_STRINGS') return `entries of ${type} are compared by mixer`;
  if (entries.length > maxEntries) return `a list of more than ${maxEntries} entries is looked up by mixer`;
  return { type, entries, black };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** A list that stands in the parameters. */
function list(check: Check, view: ProxyView): Answer {
  const read = readList(check);
  if (typeof read === 'string') return onlyMixer(read);
  if (check.value === undefined) return onlyMixer('what is looked up is known to mixer alone');
  const refusals: { when: Formula; refusal: Refusal }[] = [];
  const passes: Formula[] = [];
  const unknown = new Set<string>();
  const cases = translateValue(check.value, view);
  for (const { when, value } of cases) {
    const found = isListed(value, read);
    if (typeof found === 'string') {
      unknown.add(found);
      continue;
    }
    const made = listRefusal(check.handler, value, read.black);
    if (made) refusals.push({ when: and(when, read.black ? found : not(found)), refusal: made });
    passes.push(and(when, read.black ? not(found) : found));
  }
  const known = or(...cases.map(({ when }) => when));
  if (!isAlways(known) && unknown.size === 0)
    unknown.add(`${check.value} may have no value: mixer says what becomes of it`);
  return { refusals, passes: or(...passes), unknown: [...unknown] };
}

/** @returns when a value is in a list, or why a proxy cannot tell */
function isListed(value: Case['value'], { type, entries }: List): Formula | string {
  if (value.kind === 'opaque') return value.why;
  if (value.kind === 'literal')
    return type === 'STRINGS' && typeof value.value === 'string'
      ? constantFormula(entries.includes(value.value))
      : 'an address that is the same for all requests is looked up by mixer';
  if (type === 'IP_ADDRESSES' && value.id !== 'source.ip') return `whether ${value.id} is an address mixer finds out`;
  const conditions = entries.map((entry) => value.is(entry));
  return conditions.every((one) => one !== undefined)
    ? or(...conditions)
    : `Envoy's RBAC cannot compare ${value.id} with all entries`;
}

function listRefusal(handler: string, value: Case['value'], black: boolean): Refusal | undefined {
  const outcome = `is ${black ? 'blacklisted' : 'not whitelisted'}`;
  if (value.kind === 'literal')
    return typeof value.value === 'string'
      ? refusal(rpcCodes.permissionDenied, handler, `${value.value} ${outcome}`)
      : undefined;
  const { id, written } = value as Text;
  return refusal(rpcCodes.permissionDenied, handler, `${id} ${outcome}`, written && `${written} ${outcome}`);
}
