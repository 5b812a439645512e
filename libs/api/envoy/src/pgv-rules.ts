import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import { isMessage } from '@bufbuild/protobuf';
import { AnySchema, DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { KnownRegex } from './gen/validate/validate_pb.js';

/** The rules that are set, by their proto name: `min_len`, `gt`, `in`, … */
export type RuleSet = ReadonlyMap<string, unknown>;

/** Reads the rules of one field: a reflected `StringRules`, `UInt32Rules` and so on. */
export function ruleSet(reflected: unknown): RuleSet {
  const set = new Map<string, unknown>();
  const message = reflected as ReflectMessage;
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const value = message.get(field) as unknown;
    if (field.fieldKind === 'list') set.set(field.name, [...(value as Iterable<unknown>)].map(comparable));
    else if (field.fieldKind === 'message') set.set(field.name, comparable((value as ReflectMessage).message));
    else set.set(field.name, value);
  }
  return set;
}

/** Durations and times as nanoseconds; everything else as it is. */
function comparable(value: unknown): unknown {
  return isMessage(value, DurationSchema) || isMessage(value, TimestampSchema)
    ? value.seconds * 1_000_000_000n + BigInt(value.nanos)
    : value;
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === 0 || value === 0n || (value instanceof Uint8Array && value.length === 0);
}

/** @returns what is wrong with a value that is there, undefined when nothing is */
export function violation(kind: string, value: unknown, set: RuleSet): string | undefined {
  const compared = comparable(value);
  if (set.get('ignore_empty') === true && isEmpty(compared)) return undefined;
  if (kind === 'any') return isMessage(value, AnySchema) ? listViolation(value.typeUrl, set) : undefined;
  if (kind === 'repeated' || kind === 'map') return undefined;
  const general = constViolation(compared, set) ?? listViolation(compared, set);
  if (general !== undefined) return general;
  if (typeof compared === 'string') return stringViolation(compared, set);
  if (compared instanceof Uint8Array) return lengthViolation(compared.length, set, '') ?? undefined;
  return typeof compared === 'number' || typeof compared === 'bigint' ? rangeViolation(compared, set) : undefined;
}

function constViolation(value: unknown, set: RuleSet): string | undefined {
  return set.has('const') && set.get('const') !== value ? `must be ${String(set.get('const'))}` : undefined;
}

function listViolation(value: unknown, set: RuleSet): string | undefined {
  const [allowed, barred] = [set.get('in'), set.get('not_in')];
  if (Array.isArray(allowed) && !allowed.includes(value)) return `must be one of ${allowed.map(String).join(', ')}`;
  return Array.isArray(barred) && barred.includes(value) ? `must not be ${String(value)}` : undefined;
}

type Ordered = number | bigint;

const comparisons: readonly (readonly [rule: string, sign: string, holds: (a: Ordered, b: Ordered) => boolean])[] = [
  ['gt', '>', (a, b) => a > b],
  ['gte', '>=', (a, b) => a >= b],
  ['lt', '<', (a, b) => a < b],
  ['lte', '<=', (a, b) => a <= b],
];

function rangeViolation(value: Ordered, set: RuleSet): string | undefined {
  const bounds = comparisons
    .filter(([rule]) => set.has(rule))
    .map(([rule, sign, holds]) => ({ sign, bound: set.get(rule) as Ordered, holds }));
  const kept = bounds.filter(({ bound, holds }) => holds(value, bound)).length;
  const [low, high] = bounds;
  // Bounds that cross mean "outside of them".
  const needed = low && high && low.bound > high.bound ? 1 : bounds.length;
  if (kept >= needed) return undefined;
  return `is ${value}, must be ${bounds.map(({ sign, bound }) => `${sign} ${bound}`).join(' and ')}`;
}

function lengthViolation(length: number, set: RuleSet, unit: '' | '_bytes'): string | undefined {
  const names = unit === '' ? ['len', 'min_len', 'max_len'] : ['len_bytes', 'min_bytes', 'max_bytes'];
  const [exact, min, max] = names.map((name) => set.get(name) as bigint | undefined);
  if (exact !== undefined && BigInt(length) !== exact) return `has length ${length}, must have ${exact}`;
  if (min !== undefined && BigInt(length) < min) return `has length ${length}, must have at least ${min}`;
  if (max !== undefined && BigInt(length) > max) return `has length ${length}, must have at most ${max}`;
  return undefined;
}

/** RFC 7230 names and values (validate.proto, KnownRegex); without `strict` only NUL, CR and LF are barred. */
const loose = /^[^\0\r\n]*$/;
const strict: Readonly<Record<number, RegExp>> = {
  [KnownRegex.HTTP_HEADER_NAME]: /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/,
  // eslint-disable-next-line no-control-regex -- the rule is about control characters
  [KnownRegex.HTTP_HEADER_VALUE]: /^[^\u0000-\u0008\u000A-\u001F\u007F]*$/,
};

function wellKnownPattern(set: RuleSet): RegExp | undefined {
  const which = set.get('well_known_regex');
  if (which === undefined) return undefined;
  return set.get('strict') === false ? loose : strict[which as number];
}

const patterns = new Map<string, RegExp>();

function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (!pattern) patterns.set(source, (pattern = new RegExp(source, 'u')));
  return pattern;
}

/** An absolute URI, or any reference to one; what Envoy's fields ask for is only that it parses. */
function isUri(text: string, base?: string): boolean {
  return URL.canParse(text, base);
}

function stringViolation(text: string, set: RuleSet): string | undefined {
  const length =
    lengthViolation(Array.from(text).length, set, '') ?? lengthViolation(Buffer.byteLength(text), set, '_bytes');
  if (length !== undefined) return length;
  const pattern = set.get('pattern');
  if (typeof pattern === 'string' && !patternOf(pattern).test(text)) return `'${text}' must match ${pattern}`;
  if (wellKnownPattern(set)?.test(text) === false) return `'${text}' must be an HTTP header name or value`;
  if (set.get('uri') === true && !isUri(text)) return `'${text}' must be a URI`;
  if (set.get('uri_ref') === true && !isUri(text, 'http://host/')) return `'${text}' must be a URI reference`;
  const affixes: readonly [string, (part: string) => boolean][] = [
    ['prefix', (part) => text.startsWith(part)],
    ['suffix', (part) => text.endsWith(part)],
    ['contains', (part) => text.includes(part)],
    ['not_contains', (part) => !text.includes(part)],
  ];
  const broken = affixes.find(([name, test]) => set.has(name) && !test(set.get(name) as string));
  return broken && `'${text}' breaks ${broken[0]} '${String(set.get(broken[0]))}'`;
}
