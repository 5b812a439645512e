import { parseDuration } from '@seine/istio';
import { normalizeDnsName, normalizeEmail, normalizeIp, normalizeUri } from '../attributes/normalize.js';
import type { StringMap, Value, ValueType } from '../attributes/value-type.js';
import { parseTimestamp } from './times.js';

/** What stands for any type, the same in all places of one overload. */
type Parameter = ValueType | 'ANY';

/** One meaning of an operator or function. */
export interface Overload {
  readonly parameters: readonly Parameter[];
  readonly result: Parameter;
  /** Undefined where the arguments have no result: an address that is none, a division by zero. */
  readonly apply: (...values: readonly never[]) => Value | undefined;
}

/** Types that are plain numbers, and compare as such. */
const ordered: readonly ValueType[] = ['INT64', 'DOUBLE', 'TIMESTAMP', 'DURATION'];
const textual: readonly ValueType[] = ['STRING', 'URI', 'DNS_NAME', 'EMAIL_ADDRESS', 'IP_ADDRESS'];
const numeric: readonly ValueType[] = ['INT64', 'DOUBLE'];

const of = (parameters: readonly Parameter[], result: Parameter, apply: Overload['apply']): Overload => ({
  parameters,
  result,
  apply,
});

function comparison(compare: (a: number | string, b: number | string) => boolean): readonly Overload[] {
  return [...ordered, 'STRING' as const].map((type) => of([type, type], 'BOOL', compare));
}

function arithmetic(compute: (a: number, b: number) => number): readonly Overload[] {
  return numeric.map((type) =>
    of([type, type], type, (a: number, b: number) =>
      finite(type === 'INT64' ? Math.trunc(compute(a, b)) : compute(a, b)),
    ),
  );
}

/** What is no number, or too large to be counted exactly, is no result. */
function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function equal(a: Value, b: Value): boolean {
  return a instanceof Map && b instanceof Map ? sameEntries(a as StringMap, b as StringMap) : a === b;
}

function sameEntries(a: StringMap, b: StringMap): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

/** `abc`, `abc*` or `*abc`: Istio's match(). */
function matchesGlob(text: string, pattern: string): boolean {
  if (pattern.endsWith('*')) return text.startsWith(pattern.slice(0, -1));
  if (pattern.startsWith('*')) return text.endsWith(pattern.slice(1));
  return text === pattern;
}

/** Functions of text, called as `f(text, …)` or `text.f(…)`. */
const ofText = {
  startsWith: [of(['STRING', 'STRING'], 'BOOL', (a: string, b: string) => a.startsWith(b))],
  endsWith: [of(['STRING', 'STRING'], 'BOOL', (a: string, b: string) => a.endsWith(b))],
  contains: [of(['STRING', 'STRING'], 'BOOL', (a: string, b: string) => a.includes(b))],
  match: [of(['STRING', 'STRING'], 'BOOL', matchesGlob)],
  toLower: [of(['STRING'], 'STRING', (a: string) => a.toLowerCase())],
  lowerAscii: [of(['STRING'], 'STRING', (a: string) => a.replace(/[A-Z]+/g, (part) => part.toLowerCase()))],
  upperAscii: [of(['STRING'], 'STRING', (a: string) => a.replace(/[a-z]+/g, (part) => part.toUpperCase()))],
  reverse: [of(['STRING'], 'STRING', (a: string) => Array.from(a).reverse().join(''))],
  trim: [of(['STRING'], 'STRING', (a: string) => a.trim())],
};

const conversions = {
  ip: [of(['STRING'], 'IP_ADDRESS', normalizeIp)],
  dns_name: [of(['STRING'], 'DNS_NAME', normalizeDnsName)],
  email: [of(['STRING'], 'EMAIL_ADDRESS', normalizeEmail)],
  uri: [of(['STRING'], 'URI', normalizeUri)],
  timestamp: [of(['STRING'], 'TIMESTAMP', parseTimestamp)],
  duration: [of(['STRING'], 'DURATION', parseDuration)],
  string: [
    ...textual.map((type) => of([type], 'STRING', (a: string) => a)),
    ...numeric.map((type) => of([type], 'STRING', (a: number) => String(a))),
    of(['BOOL'], 'STRING', (a: boolean) => String(a)),
    of(['DURATION'], 'STRING', (a: number) => `${a / 1000}s`),
    of(['TIMESTAMP'], 'STRING', (a: number) => new Date(a).toISOString()),
  ],
  int: [
    ...numeric.map((type) => of([type], 'INT64', (a: number) => Math.trunc(a))),
    of(['STRING'], 'INT64', (a: string) => (/^[+-]?\d+$/.test(a) ? Number(a) : undefined)),
    of(['TIMESTAMP'], 'INT64', (a: number) => Math.floor(a / 1000)),
  ],
  double: [
    ...numeric.map((type) => of([type], 'DOUBLE', (a: number) => a)),
    of(['STRING'], 'DOUBLE', (a: string) => (a.trim() === '' ? undefined : finite(Number(a)))),
  ],
  size: [
    of(['STRING'], 'INT64', (a: string) => Array.from(a).length),
    of(['STRING_MAP'], 'INT64', (a: StringMap) => a.size),
  ],
};

const choices = {
  conditionalString: [
    of(['BOOL', 'STRING', 'STRING'], 'STRING', (test: boolean, a: string, b: string) => (test ? a : b)),
  ],
  emptyStringMap: [of([], 'STRING_MAP', () => new Map<string, string>())],
};

const operators = {
  '==': [of(['ANY', 'ANY'], 'BOOL', equal)],
  '!=': [of(['ANY', 'ANY'], 'BOOL', (a: Value, b: Value) => !equal(a, b))],
  '<': comparison((a, b) => a < b),
  '<=': comparison((a, b) => a <= b),
  '>': comparison((a, b) => a > b),
  '>=': comparison((a, b) => a >= b),
  '!': [of(['BOOL'], 'BOOL', (a: boolean) => !a)],
  negate: [...numeric, 'DURATION' as const].map((type) => of([type], type, (a: number) => -a)),
  '+': [
    ...arithmetic((a, b) => a + b),
    of(['STRING', 'STRING'], 'STRING', (a: string, b: string) => a + b),
    of(['TIMESTAMP', 'DURATION'], 'TIMESTAMP', (a: number, b: number) => a + b),
    of(['DURATION', 'TIMESTAMP'], 'TIMESTAMP', (a: number, b: number) => a + b),
    of(['DURATION', 'DURATION'], 'DURATION', (a: number, b: number) => a + b),
  ],
  '-': [
    ...arithmetic((a, b) => a - b),
    of(['TIMESTAMP', 'TIMESTAMP'], 'DURATION', (a: number, b: number) => a - b),
    of(['TIMESTAMP', 'DURATION'], 'TIMESTAMP', (a: number, b: number) => a - b),
    of(['DURATION', 'DURATION'], 'DURATION', (a: number, b: number) => a - b),
  ],
  '*': arithmetic((a, b) => a * b),
  '/': arithmetic((a, b) => a / b),
  '%': [of(['INT64', 'INT64'], 'INT64', (a: number, b: number) => finite(a % b))],
};

/** All operators and functions but those that must not look at all of their arguments (`&&`, `||`, `|`, `in`, `has`, `conditional`). */
export const overloads: ReadonlyMap<string, readonly Overload[]> = new Map<string, readonly Overload[]>(
  Object.entries({ ...operators, ...ofText, ...conversions, ...choices }),
);

/** Functions that may be written behind their first argument. */
export const methods: ReadonlySet<string> = new Set([...Object.keys(ofText), 'size', 'matches']);

/** Functions without arguments or effect, whose call with literals is a literal. */
export const constants: ReadonlySet<string> = new Set(Object.keys(conversions));
