import { describe, expect, it } from '@jest/globals';
import { formatOperators, formatProblem } from '../mesh/log-format.js';
import { envoyCelProblem, tagCelProblem } from './envoy-cel.js';

describe('CEL in Envoy’s loggers', () => {
  it.each([
    'response.code >= 400',
    "request.path.startsWith('/a') || !(response.code == 200)",
    "size(request.path) > 2 && 'a' in request.headers",
    "has(a.b) && a[1] == {'x': 1} && -1 < int('2')",
    "timestamp('2020-01-01T00:00:00Z') < request.time && request.time.getHours() > 1",
    "connection.mtls ? 'mutual_tls' : 'none'",
  ])('takes %s', (expression) => {
    expect(envoyCelProblem(expression)).toBeUndefined();
  });

  it.each([
    ['a +', 'is not a CEL expression'],
    ['string(response.code)', 'calls string()'],
    ["'a'.lowerAscii() == 'a'", 'calls lowerAscii()'],
    ["request.headers.exists(x, x == 'a')", 'has a macro that loops'],
    ["true || size('a'.split('b')) > 0", 'calls split()'],
  ])('does not take %s', (expression, problem) => {
    expect(envoyCelProblem(expression)).toContain(problem);
  });

  it.each([
    ['string(destination.port)', undefined],
    ["string(a) + 'b'", 'calls string()'],
    ['string(a) + string(b)', 'calls string()'],
    ["')%'", '")%"'],
  ])('of a tag: %s', (expression, problem) => {
    if (problem === undefined) expect(tagCelProblem(expression)).toBeUndefined();
    else expect(tagCelProblem(expression)).toContain(problem);
  });
});

describe('log formats', () => {
  it.each([...formatOperators])('know %%%s%%, which needs an argument: %s', (name, needs) => {
    expect(formatProblem(`a %${name}${needs ? '(a)' : ''}% b`)).toBeUndefined();
    expect(formatProblem(`a %${name}%`) !== undefined).toBe(needs);
  });

  it.each(['', '100%%', '%REQ(A?B):10%', '%START_TIME(%Y-%m-%dT%H:%M:%S)%', "%CEL(request.path == '/a(b)')%"])(
    'take %j',
    (format) => {
      expect(formatProblem(format)).toBeUndefined();
    },
  );

  it.each([
    ['%', '%% writes one'],
    ['%REQ(a', '%% writes one'],
    ['%oh%', '%% writes one'],
    ['%REQUEST%', '%REQUEST%, which Envoy does not know'],
    ['%CEL(nofunc(1))%', 'calls nofunc()'],
  ])('do not take %j', (format, problem) => {
    expect(formatProblem(format)).toContain(problem);
  });
});
