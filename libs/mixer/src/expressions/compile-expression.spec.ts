import { describe, expect, it } from '@jest/globals';
import type { Value, ValueType, Vocabulary } from '../attributes/value-type.js';
import { compileExpression } from './compile-expression.js';
import { ExpressionError } from './expression-error.js';

const vocabulary: Vocabulary = new Map<string, ValueType>([
  ['request.headers', 'STRING_MAP'],
  ['request.path', 'STRING'],
  ['request.size', 'INT64'],
  ['request.time', 'TIMESTAMP'],
  ['response.duration', 'DURATION'],
  ['response.code', 'INT64'],
  ['source.ip', 'IP_ADDRESS'],
  ['source.labels', 'STRING_MAP'],
  ['source.workload.name', 'STRING'],
  ['source.principal', 'STRING'],
  ['destination.labels', 'STRING_MAP'],
  ['destination.service.host', 'STRING'],
  ['connection.mtls', 'BOOL'],
  ['context.reporter.kind', 'STRING'],
  ['load', 'DOUBLE'],
]);

const bag = new Map<string, Value>([
  [
    'request.headers',
    new Map([
      ['cookie', 'user=jason'],
      ['x-user', 'john'],
    ]),
  ],
  ['request.path', '/api/v1/products'],
  ['request.size', 7],
  ['request.time', Date.parse('2026-01-02T03:04:05Z')],
  ['response.duration', 1500],
  ['response.code', 200],
  ['source.ip', '10.0.0.1'],
  [
    'source.labels',
    new Map([
      ['app', 'reviews'],
      ['version', 'v3'],
    ]),
  ],
  ['destination.labels', new Map([['app', 'ratings']])],
  ['destination.service.host', 'ratings.default.svc.cluster.local'],
  ['connection.mtls', true],
  ['context.reporter.kind', 'outbound'],
  ['load', 0.5],
]);

const evaluate = (text: string): Value | undefined => compileExpression(text, vocabulary).evaluate(bag);

describe('expressions', () => {
  it.each<[string, Value | undefined]>([
    // Istio's, as old configs have them.
    ['source.labels["app"] | "unknown"', 'reviews'],
    ['source.labels["tier"] | "unknown"', 'unknown'],
    ['source.labels["tier"] | source.workload.name | "unknown"', 'unknown'],
    [
      'destination.labels["app"] == "ratings" && source.labels["app"]=="reviews" && source.labels["version"] == "v3"',
      true,
    ],
    ['(destination.labels["app"]|"unknown") == "ratings"', true],
    ['destination.labels["tier"] | "unknown" == "unknown"', true],
    ['match(request.headers["cookie"], "user=*") == false', false],
    ['match(request.path, "*products")', true],
    ['conditional((context.reporter.kind | "inbound") == "outbound", "client", "server")', 'client'],
    ['response.duration | "0ms"', 1500],
    ['source.ip | ip("0.0.0.0")', '10.0.0.1'],
    ['source.ip == ip("10.0.0.1")', true],
    ['request.time | timestamp("2017-01-01T00:00:00Z")', Date.parse('2026-01-02T03:04:05Z')],
    ['connection.mtls | false', true],
    ['"^ratings.*".matches(destination.service.host)', true],
    ['request.path.startsWith("/api")', true],
    ['"Reviews".toLower()', 'reviews'],
    ['reverse("abc")', 'cba'],
    ['size(request.headers)', 2],
    ['emptyStringMap()', new Map()],
    ['"true" == "true"', true],
    // CEL's.
    ["request.headers['x-user'] == 'john' ? 'a' : 'b'", 'a'],
    ["destination.service.host.matches('^ratings\\\\.')", true],
    ['response.code in [200, 204]', true],
    ["'cookie' in request.headers", true],
    ['has(source.workload.name)', false],
    ["has(request.headers['cookie']) && !has(request.headers['x'])", true],
    ['source.labels.version', 'v3'],
    ['request.size * 2 + 1 - 5 % 3', 13],
    ['request.size / 2', 3],
    ['-request.size', -7],
    ['load * 4.0 >= 2.0', true],
    ["string(response.code) + 'x'", '200x'],
    ["int('12') < 13 && double('1.5') > 1.0", true],
    ['request.time + duration("1h") - request.time', 3_600_000],
    ['response.duration > duration("1s")', true],
    ['response.duration == "1500ms"', true],
    ["request.path.contains('v1') && request.path.endsWith('products')", true],
    [`"a\\n\\x41\\u0042'" == 'a\nAB\\''`, true],
    ['r"\\d" == "\\\\d" && `\\d` == r\'\\d\'', true],
    ['!(1 == 2) || false', true],
  ])('%s', (text, expected) => {
    expect(evaluate(text)).toEqual(expected);
  });

  it.each<[string, Value | undefined]>([
    ['source.workload.name', undefined],
    ['source.workload.name == "x"', undefined],
    ['source.workload.name == "x" || true', true],
    ['true || source.workload.name == "x"', true],
    ['source.workload.name == "x" && false', false],
    ['source.workload.name == "x" && true', undefined],
    ['request.headers["none"]', undefined],
    ['request.size / 0', undefined],
    ['ip(request.path)', undefined],
    ['ip(request.path) | ip("::ffff:1.2.3.4")', '1.2.3.4'],
    ['true ? "a" : source.workload.name', 'a'],
    ['source.workload.name in ["a"]', undefined],
  ])('%s: what is absent', (text, expected) => {
    expect(evaluate(text)).toBe(expected);
  });

  it.each<[string, string, number]>([
    ['', 'no expression', 0],
    ['source.nope', 'there is no attribute source.nope', 7],
    ['source.labels["a"] == 1', '== takes', 19],
    ['request.size == "7"', '== takes', 13],
    ['response.duration | "soon"', 'must be of one type', 18],
    ['request.size && true', '&& takes BOOL, not INT64', 8],
    ['frobnicate(1)', 'there is no function frobnicate', 0],
    ['request.path.ip()', 'there is no function ip', 13],
    ['ip("nowhere")', '"nowhere" is no IP_ADDRESS', 0],
    ['request.path.matches("(")', 'Invalid regular expression', 13],
    ['request.path.matches("(a+)+$")', 'must not repeat inside', 13],
    ['request.path.matches(request.path)', 'pattern in quotes', 13],
    ['request.path[0]', 'only a map has entries', 12],
    ['request.headers[1]', 'found by STRING', 15],
    ['"abc', 'does not end', 0],
    ['"\\q"', 'no escape', 1],
    ['1 +', 'a value must stand here, not the end', 3],
    ['(1', '")" must stand here, not the end', 2],
    ['1 2', 'an operator must stand here, not 2', 2],
    ['a # b', '"#" means nothing here', 2],
    ['[1]', 'a list may only stand behind "in"', 0],
    ['1 in [1, "a"]', 'must be INT64', 9],
    ['true ? 1 : "a"', 'two values of one type', 5],
    [`${'('.repeat(200)}1${')'.repeat(200)}`, 'nested too deeply', 100],
    [`${'!'.repeat(500)}true`, 'nested too deeply', 99],
  ])('%s is refused', (text, message, offset) => {
    expect(() => compileExpression(text, vocabulary)).toThrow(message);
    try {
      compileExpression(text, vocabulary);
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionError);
      expect((error as ExpressionError).offset).toBe(offset);
    }
  });

  it('must have the type that is wanted', () => {
    expect(compileExpression('"5s"', vocabulary, ['DURATION']).evaluate(bag)).toBe(5000);
    expect(compileExpression('1', vocabulary, ['DOUBLE', 'INT64']).type).toBe('DOUBLE');
    expect(() => compileExpression('"x"', vocabulary, ['BOOL'])).toThrow('must be BOOL, and is STRING');
  });

  it('say what they look at', () => {
    const text = 'has(request.path) && request.headers["cookie"] == source.labels.app && size(source.labels) > 0';
    expect(compileExpression(text, vocabulary).reads).toEqual([
      'request.headers["cookie"]',
      'request.path',
      'source.labels',
      'source.labels["app"]',
    ]);
  });

  it('never do anything but evaluate or refuse, whatever is written', () => {
    const words = [
      'source.ip',
      '"a"',
      '1',
      '1.5',
      '(',
      ')',
      '[',
      ']',
      '==',
      '|',
      '||',
      '&&',
      '!',
      '-',
      '.',
      ',',
      'in',
      'has',
      'ip',
      'match',
      '?',
      ':',
      'request.headers',
      "'",
      '\\',
      'true',
    ];
    let seed = 11;
    const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
    let compiled = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: 1 + random(7) }, () => words[random(words.length)]).join(' ');
      try {
        compileExpression(text, vocabulary).evaluate(bag);
        compiled++;
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
      }
    }
    expect(compiled).toBeGreaterThan(100);
  });
});
