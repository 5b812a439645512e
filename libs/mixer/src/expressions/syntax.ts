import { ExpressionError } from './expression-error.js';
import { type Token, tokenize } from './tokens.js';

/** An expression as it is written; types and names are not looked at yet. */
export type Syntax =
  | {
      readonly kind: 'literal';
      readonly type: 'STRING' | 'INT64' | 'DOUBLE' | 'BOOL';
      readonly value: string | number | boolean;
      readonly offset: number;
    }
  | { readonly kind: 'name'; readonly name: string; readonly offset: number }
  | { readonly kind: 'select'; readonly of: Syntax; readonly field: string; readonly offset: number }
  | { readonly kind: 'index'; readonly of: Syntax; readonly key: Syntax; readonly offset: number }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly receiver: Syntax | undefined;
      readonly arguments: readonly Syntax[];
      readonly offset: number;
    }
  | { readonly kind: 'list'; readonly items: readonly Syntax[]; readonly offset: number };

/** How tightly operators bind, loosest first; `|` as tightly as Go's, which Istio's language was read with. */
const precedence: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '<=', '>', '>=', 'in'],
  ['+', '-', '|'],
  ['*', '/', '%'],
];
/** Expressions nest no deeper: more is an attack, or a program that went wrong. */
const maxDepth = 100;

/**
 * Reads Istio's attribute expressions and CEL: both are one language but for few words.
 * @throws ExpressionError
 */
export function parseSyntax(text: string): Syntax {
  return new Parser(tokenize(text)).whole();
}

class Parser {
  #at = 0;
  #depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Syntax {
    const { offset } = this.#peek();
    if (this.#peek().kind === 'end') throw new ExpressionError('there is no expression', offset);
    const syntax = this.#conditional();
    if (this.#peek().kind !== 'end') throw this.#unexpected('an operator');
    return syntax;
  }

  #conditional(): Syntax {
    if (++this.#depth > maxDepth) throw new ExpressionError('this is nested too deeply', this.#peek().offset);
    const condition = this.#binary(0);
    let result = condition;
    if (this.#isSymbol('?')) {
      const { offset } = this.#next();
      const then = this.#conditional();
      this.#expect(':');
      result = call('conditional', [condition, then, this.#conditional()], offset);
    }
    this.#depth--;
    return result;
  }

  #binary(level: number): Syntax {
    const operators = precedence[level];
    if (!operators) return this.#unary();
    let left = this.#binary(level + 1);
    while (this.#isOperator(operators)) {
      const { value, offset } = this.#next();
      left = call(String(value), [left, this.#binary(level + 1)], offset);
    }
    return left;
  }

  #unary(): Syntax {
    if (!this.#isSymbol('!') && !this.#isSymbol('-')) return this.#postfix();
    const { value, offset } = this.#next();
    if (++this.#depth > maxDepth) throw new ExpressionError('this is nested too deeply', offset);
    const operand = this.#unary();
    this.#depth--;
    if (value === '-' && operand.kind === 'literal' && typeof operand.value === 'number')
      return { ...operand, value: -operand.value, offset };
    return call(value === '-' ? 'negate' : '!', [operand], offset);
  }

  #postfix(): Syntax {
    let syntax = this.#primary();
    for (;;) {
      if (this.#isSymbol('[')) {
        const { offset } = this.#next();
        const key = this.#conditional();
        this.#expect(']');
        syntax = { kind: 'index', of: syntax, key, offset };
      } else if (this.#isSymbol('.')) {
        this.#next();
        const { kind, value, offset } = this.#next();
        if (kind !== 'name') throw this.#unexpected('a name', this.#at - 1);
        syntax = this.#isSymbol('(')
          ? { kind: 'call', name: value, receiver: syntax, arguments: this.#list('(', ')'), offset }
          : { kind: 'select', of: syntax, field: value, offset };
      } else return syntax;
    }
  }

  #primary(): Syntax {
    const token = this.#next();
    const { offset } = token;
    if (token.kind === 'string') return { kind: 'literal', type: 'STRING', value: token.value, offset };
    if (token.kind === 'int') return { kind: 'literal', type: 'INT64', value: token.value, offset };
    if (token.kind === 'double') return { kind: 'literal', type: 'DOUBLE', value: token.value, offset };
    if (token.kind === 'name') return this.#word(token.value, offset);
    if (token.value === '(') {
      const inner = this.#conditional();
      this.#expect(')');
      return inner;
    }
    this.#at--;
    if (token.value === '[') return { kind: 'list', items: this.#list('[', ']'), offset };
    throw this.#unexpected('a value');
  }

  #word(word: string, offset: number): Syntax {
    if (word === 'true' || word === 'false') return { kind: 'literal', type: 'BOOL', value: word === 'true', offset };
    if (!this.#isSymbol('(')) return { kind: 'name', name: word, offset };
    return { kind: 'call', name: word, receiver: undefined, arguments: this.#list('(', ')'), offset };
  }

  #list(open: string, close: string): readonly Syntax[] {
    this.#expect(open);
    const items: Syntax[] = [];
    while (!this.#isSymbol(close)) {
      items.push(this.#conditional());
      if (!this.#isSymbol(',')) break;
      this.#next();
    }
    this.#expect(close);
    return items;
  }

  #peek(): Token {
    const token = this.tokens[Math.min(this.#at, this.tokens.length - 1)];
    if (!token) throw new ExpressionError('there is no expression', 0);
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #isSymbol(value: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.value === value;
  }

  #isOperator(operators: readonly string[]): boolean {
    const { kind, value } = this.#peek();
    return kind === 'symbol'
      ? operators.includes(value)
      : kind === 'name' && value === 'in' && operators.includes('in');
  }

  #expect(symbol: string): void {
    if (!this.#isSymbol(symbol)) throw this.#unexpected(`"${symbol}"`);
    this.#next();
  }

  #unexpected(wanted: string, at = this.#at): ExpressionError {
    const token = this.tokens[Math.min(at, this.tokens.length - 1)] ?? this.#peek();
    const found = token.kind === 'end' ? 'the end' : JSON.stringify(token.value);
    return new ExpressionError(`${wanted} must stand here, not ${found}`, token.offset);
  }
}

function call(name: string, operands: readonly Syntax[], offset: number): Syntax {
  return { kind: 'call', name, receiver: undefined, arguments: operands, offset };
}
