import type { AttributeBag, Value, ValueType } from '../attributes/value-type.js';
import { ExpressionError } from './expression-error.js';
import { constants, type Overload } from './functions.js';
import { constant, convertLiteral, type Evaluate, type Part } from './part.js';

/**
 * The first meaning of a function that its operands fit.
 * @throws ExpressionError where there is none
 */
export function applyOverload(
  name: string,
  known: readonly Overload[],
  operands: readonly Part[],
  offset: number,
): Part {
  for (const overload of known) {
    const bound = bind(overload, operands);
    if (!bound) continue;
    const { type, parts } = bound;
    const evaluate = strict(
      parts.map((part) => part.evaluate),
      overload.apply,
    );
    if (!constants.has(name) || parts.some(({ literal }) => literal === undefined)) return { type, evaluate };
    const value = evaluate(nothing);
    if (value === undefined) throw new ExpressionError(`${JSON.stringify(parts[0]?.literal)} is no ${type}`, offset);
    return constant(type, value);
  }
  const types = operands.map(({ type }) => type).join(', ');
  const wanted = known.map(({ parameters }) => `(${parameters.join(', ')})`).join(' or ');
  throw new ExpressionError(`${name} takes ${wanted}, not (${types})`, offset);
}
const nothing: AttributeBag = { get: () => undefined };

/** The operands as an overload wants them; ANY is the type of the first that stands for it. */
function bind(
  { parameters, result }: Overload,
  operands: readonly Part[],
): { readonly type: ValueType; readonly parts: readonly Part[] } | undefined {
  if (parameters.length !== operands.length) return undefined;
  const any = anyType(parameters, operands);
  const parts = operands.map((operand, i) => {
    const wanted = parameters[i] === 'ANY' ? any : parameters[i];
    return wanted && convertLiteral(operand, wanted);
  });
  const type = result === 'ANY' ? any : result;
  return type !== undefined && parts.every((part) => part !== undefined) ? { type, parts } : undefined;
}

/** What is no literal says of which type ANY is: `"0ms" == response.duration` is about durations. */
function anyType(parameters: Overload['parameters'], operands: readonly Part[]): ValueType | undefined {
  const candidates = operands.filter((_, i) => parameters[i] === 'ANY');
  return (candidates.find(({ literal }) => literal === undefined) ?? candidates[0])?.type;
}

/** No operand, no result. Apart by number, as most calls have one or two. */
function strict(operands: readonly Evaluate[], apply: Overload['apply']): Evaluate {
  const call = apply as (...values: readonly Value[]) => Value | undefined;
  const [a, b] = operands;
  if (a && operands.length === 1)
    return (bag) => {
      const x = a(bag);
      return x === undefined ? undefined : call(x);
    };
  if (a && b && operands.length === 2)
    return (bag) => {
      const x = a(bag);
      if (x === undefined) return undefined;
      const y = b(bag);
      return y === undefined ? undefined : call(x, y);
    };
  return (bag) => {
    const values = operands.map((one) => one(bag));
    return values.every((value) => value !== undefined) ? call(...values) : undefined;
  };
}
