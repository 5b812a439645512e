import { parseDuration } from '@seine/istio';
import type { AttributeBag, Value, ValueType } from '../attributes/value-type.js';

/** Undefined: the value is not known, because an attribute is absent or an operation has no result. */
export type Evaluate = (bag: AttributeBag) => Value | undefined;

/** A part of an expression; `literal` where it is known now. */
export interface Part {
  readonly type: ValueType;
  readonly evaluate: Evaluate;
  readonly literal?: Value;
}

/** A text in quotes may stand for a duration, as in `response.duration | "0ms"`. */
export function convertLiteral(part: Part, type: ValueType): Part | undefined {
  if (part.type === type) return part;
  const { literal } = part;
  if (literal === undefined) return undefined;
  if (type === 'DURATION' && typeof literal === 'string') {
    const value = parseDuration(literal);
    return value === undefined ? undefined : constant(type, value);
  }
  return type === 'DOUBLE' && part.type === 'INT64' ? constant(type, literal) : undefined;
}

export function constant(type: ValueType, value: Value): Part {
  return { type, literal: value, evaluate: () => value };
}
