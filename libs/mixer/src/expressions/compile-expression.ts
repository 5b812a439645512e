import type { StringMap, ValueType, Vocabulary } from '../attributes/value-type.js';
import { applyOverload } from './apply-overload.js';
import { ExpressionError } from './expression-error.js';
import { methods, overloads } from './functions.js';
import { constant, convertLiteral, type Evaluate, type Part } from './part.js';
import { maxMatched, safePattern } from './patterns.js';
import { parseSyntax, type Syntax } from './syntax.js';

/** An expression whose types are right. */
export interface Expression {
  readonly text: string;
  readonly type: ValueType;
  /** The attributes it may look at, `request.headers["cookie"]` for an entry of a map; sorted. */
  readonly reads: readonly string[];
  readonly evaluate: Evaluate;
}

/**
 * Checks an expression against the vocabulary and makes it a function.
 * @param expected the types it may have; default any
 * @throws ExpressionError
 */
export function compileExpression(text: string, vocabulary: Vocabulary, expected?: readonly ValueType[]): Expression {
  return compileSyntax(parseSyntax(text), text, vocabulary, expected);
}

/**
 * The same for an expression that is read already, or a part of one.
 * @throws ExpressionError
 */
export function compileSyntax(
  syntax: Syntax,
  text: string,
  vocabulary: Vocabulary,
  expected?: readonly ValueType[],
): Expression {
  const compiler = new Compiler(vocabulary);
  const part = compiler.compile(syntax);
  const converted = (expected ?? []).map((type) => convertLiteral(part, type)).find((one) => one !== undefined);
  if (expected && !converted)
    throw new ExpressionError(`must be ${expected.join(' or ')}, and is ${part.type}`, syntax.offset);
  const { type, evaluate } = converted ?? part;
  return { text, type, reads: [...compiler.reads].sort(), evaluate };
}

class Compiler {
  readonly reads = new Set<string>();

  constructor(private readonly vocabulary: Vocabulary) {}

  compile(syntax: Syntax): Part {
    switch (syntax.kind) {
      case 'literal':
        return constant(syntax.type, syntax.value);
      case 'name':
      case 'select':
        return this.#attribute(syntax);
      case 'index':
        return this.#entry(syntax.of, this.compile(syntax.key), syntax.offset);
      case 'call':
        return this.#call(syntax);
      case 'list':
        throw new ExpressionError('a list may only stand behind "in"', syntax.offset);
    }
  }

  /** `source.workload.name`, or an entry of a map: `source.labels.app`. */
  #attribute(syntax: Extract<Syntax, { kind: 'name' | 'select' }>): Part {
    const name = dottedName(syntax);
    const type = name === undefined ? undefined : this.vocabulary.get(name);
    if (name !== undefined && type !== undefined) {
      this.reads.add(name);
      return { type, evaluate: (bag) => bag.get(name) };
    }
    if (syntax.kind === 'select' && this.#isMap(syntax.of))
      return this.#entry(syntax.of, constant('STRING', syntax.field), syntax.offset);
    throw new ExpressionError(`there is no attribute ${name ?? syntax.kind}`, syntax.offset);
  }

  #isMap(syntax: Syntax): boolean {
    const name = dottedName(syntax);
    return name !== undefined && this.vocabulary.get(name) === 'STRING_MAP';
  }

  #entry(of: Syntax, key: Part, offset: number): Part {
    const name = dottedName(of);
    const isAttribute = name !== undefined && this.#isMap(of);
    // Of a map only the entry is looked at, where it is known which.
    const map = isAttribute ? mapAttribute(name) : this.compile(of);
    if (isAttribute) this.reads.add(typeof key.literal === 'string' ? `${name}[${JSON.stringify(key.literal)}]` : name);
    if (map.type !== 'STRING_MAP') throw new ExpressionError(`only a map has entries, and this is ${map.type}`, offset);
    if (key.type !== 'STRING') throw new ExpressionError(`entries are found by STRING, not by ${key.type}`, offset);
    return {
      type: 'STRING',
      evaluate: (bag) => {
        const found = map.evaluate(bag) as StringMap | undefined;
        const at = key.evaluate(bag) as string | undefined;
        return found === undefined || at === undefined ? undefined : found.get(at);
      },
    };
  }

  #call(syntax: Extract<Syntax, { kind: 'call' }>): Part {
    const { name, receiver, offset } = syntax;
    const operands = [...(receiver ? [receiver] : []), ...syntax.arguments];
    const special = this.#special(name, operands, offset);
    if (special) return special;
    const known = overloads.get(name);
    if (!known || (receiver && !methods.has(name))) throw new ExpressionError(`there is no function ${name}`, offset);
    return applyOverload(
      name,
      known,
      operands.map((operand) => this.compile(operand)),
      offset,
    );
  }

  /** What does not look at all of its operands, or not at their values. */
  #special(name: string, operands: readonly Syntax[], offset: number): Part | undefined {
    const [first, second] = operands;
    switch (name) {
      case '&&':
      case '||':
        return this.#logic(name, operands);
      case '|':
        return this.#firstOf(operands, offset);
      case 'in':
        return this.#in(first, second, offset);
      case 'conditional':
        return this.#conditional(operands, offset);
      case 'has': {
        if (!first || second) throw new ExpressionError('has(x) asks whether one attribute is there', offset);
        const { evaluate } = this.compile(first);
        return { type: 'BOOL', evaluate: (bag) => evaluate(bag) !== undefined };
      }
      case 'matches':
        return this.#matches(first, second, offset);
      default:
        return undefined;
    }
  }

  /** As CEL has it: what is known decides, even if the other side is not. */
  #logic(name: '&&' | '||', operands: readonly Syntax[]): Part {
    const decisive = name === '||';
    const [left, right] = operands.map((operand) => {
      const part = this.compile(operand);
      if (part.type !== 'BOOL') throw new ExpressionError(`${name} takes BOOL, not ${part.type}`, operand.offset);
      return part.evaluate;
    });
    return {
      type: 'BOOL',
      evaluate: (bag) => {
        const first = left?.(bag);
        if (first === decisive) return decisive;
        const second = right?.(bag);
        if (second === decisive) return decisive;
        return first === undefined || second === undefined ? undefined : !decisive;
      },
    };
  }

  #firstOf(operands: readonly Syntax[], offset: number): Part {
    const [left, right] = operands.map((operand) => this.compile(operand));
    if (!left || !right) throw new ExpressionError('| takes two values', offset);
    const other = convertLiteral(right, left.type);
    if (!other) throw new ExpressionError(`${left.type} | ${right.type}: both must be of one type`, offset);
    return { type: left.type, evaluate: (bag) => left.evaluate(bag) ?? other.evaluate(bag) };
  }

  /** Only the branch that is taken must be known. */
  #conditional(operands: readonly Syntax[], offset: number): Part {
    const [test, first, second] = operands.map((operand) => this.compile(operand));
    const other = first && second && convertLiteral(second, first.type);
    if (test?.type !== 'BOOL' || !other || operands.length > 3)
      throw new ExpressionError('a choice takes BOOL and two values of one type', offset);
    return {
      type: first.type,
      evaluate: (bag) => {
        const which = test.evaluate(bag);
        return which === undefined ? undefined : (which ? first : other).evaluate(bag);
      },
    };
  }

  #in(item: Syntax | undefined, list: Syntax | undefined, offset: number): Part {
    if (!item || !list) throw new ExpressionError('in takes a value, and a list or map', offset);
    const value = this.compile(item);
    if (list.kind === 'list') {
      const items = list.items.map((one) => {
        const part = convertLiteral(this.compile(one), value.type);
        if (!part) throw new ExpressionError(`this must be ${value.type}, as what is looked for`, one.offset);
        return part.evaluate;
      });
      return {
        type: 'BOOL',
        evaluate: (bag) => {
          const wanted = value.evaluate(bag);
          return wanted === undefined ? undefined : items.some((one) => one(bag) === wanted);
        },
      };
    }
    const map = this.compile(list);
    if (map.type !== 'STRING_MAP' || value.type !== 'STRING')
      throw new ExpressionError('in takes a value and a list, or STRING and STRING_MAP', offset);
    return {
      type: 'BOOL',
      evaluate: (bag) => {
        const [key, entries] = [value.evaluate(bag), map.evaluate(bag)];
        return key === undefined || entries === undefined ? undefined : (entries as StringMap).has(key as string);
      },
    };
  }

  /** `text.matches("pattern")` in CEL; `"pattern".matches(text)` in Istio: what is literal is the pattern. */
  #matches(first: Syntax | undefined, second: Syntax | undefined, offset: number): Part {
    if (!first || !second) throw new ExpressionError('matches takes a text and a pattern', offset);
    const [left, right] = [this.compile(first), this.compile(second)];
    const [text, pattern] = right.literal === undefined ? [right, left] : [left, right];
    if (text.type !== 'STRING' || typeof pattern.literal !== 'string')
      throw new ExpressionError('matches takes a STRING and a pattern in quotes', offset);
    const regex = safePattern(pattern.literal, offset);
    return {
      type: 'BOOL',
      evaluate: (bag) => {
        const value = text.evaluate(bag);
        return value === undefined ? undefined : regex.test((value as string).slice(0, maxMatched));
      },
    };
  }
}

function mapAttribute(name: string): Part {
  return { type: 'STRING_MAP', evaluate: (bag) => bag.get(name) };
}

/** `source.workload.name` as it was written; undefined for what is no name. */
export function dottedName(syntax: Syntax): string | undefined {
  if (syntax.kind === 'name') return syntax.name;
  if (syntax.kind !== 'select') return undefined;
  const of = dottedName(syntax.of);
  return of === undefined ? undefined : `${of}.${syntax.field}`;
}
