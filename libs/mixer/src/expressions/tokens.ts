import { ExpressionError } from './expression-error.js';

export type Token =
  | { readonly kind: 'string'; readonly value: string; readonly offset: number }
  | { readonly kind: 'int' | 'double'; readonly value: number; readonly offset: number }
  | { readonly kind: 'name' | 'symbol'; readonly value: string; readonly offset: number }
  | { readonly kind: 'end'; readonly value: ''; readonly offset: number };

/** Longest first. */
const symbols = ['==', '!=', '<=', '>=', '&&', '||', ...'|<>!+-*/%?:()[],.'.split('')];
const number = /^(?:\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|0[xX][0-9a-fA-F]+|\d+)/;
const name = /^[A-Za-z_][A-Za-z0-9_]*/;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** @throws ExpressionError at a character that belongs to nothing */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (at >= text.length) return [...tokens, { kind: 'end', value: '', offset: at }];
    const [token, next] = readToken(text, at);
    tokens.push(token);
    at = next;
  }
}

function readToken(text: string, offset: number): readonly [Token, number] {
  const rest = text.slice(offset);
  const first = rest[0] ?? '';
  if (first === '"' || first === "'") return readString(text, offset);
  // Go's raw strings, and CEL's.
  if (first === '`') return readRaw(text, offset, offset + 1, '`');
  if (/^r["']/.test(rest)) return readRaw(text, offset, offset + 2, rest[1] ?? '');
  const digits = number.exec(rest)?.[0];
  if (digits !== undefined) {
    const isInt = /^(?:\d+|0[xX].*)$/.test(digits);
    return [{ kind: isInt ? 'int' : 'double', value: Number(digits), offset }, offset + digits.length];
  }
  const word = name.exec(rest)?.[0];
  if (word !== undefined) return [{ kind: 'name', value: word, offset }, offset + word.length];
  const symbol = symbols.find((one) => rest.startsWith(one));
  if (symbol === undefined) throw new ExpressionError(`${JSON.stringify(first)} means nothing here`, offset);
  return [{ kind: 'symbol', value: symbol, offset }, offset + symbol.length];
}

function readRaw(text: string, offset: number, start: number, quote: string): readonly [Token, number] {
  const end = text.indexOf(quote, start);
  if (end < 0) throw new ExpressionError('this text does not end', offset);
  return [{ kind: 'string', value: text.slice(start, end), offset }, end + 1];
}

function readString(text: string, offset: number): readonly [Token, number] {
  const quote = text[offset];
  let value = '';
  for (let at = offset + 1; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === quote) return [{ kind: 'string', value, offset }, at + 1];
    if (character !== '\\') {
      value += character;
      continue;
    }
    const [unescaped, length] = readEscape(text, at);
    value += unescaped;
    at += length - 1;
  }
  throw new ExpressionError('this text does not end', offset);
}

/** What an escape stands for, and how long it is. */
function readEscape(text: string, at: number): readonly [string, number] {
  const hex = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text.slice(at, at + 10));
  const code = hex?.[1] ?? hex?.[2] ?? hex?.[3];
  if (hex && code !== undefined) {
    const point = parseInt(code, 16);
    if (point <= 0x10_ffff) return [String.fromCodePoint(point), hex[0].length];
  }
  const next = text[at + 1] ?? '';
  if ('\\"\'`?'.includes(next) && next !== '') return [next, 2];
  const known = escapes[next];
  if (known === undefined) throw new ExpressionError(`\\${next} is no escape`, at);
  return [known, 2];
}
