import type { TemplateField, TemplateFields } from '@seine/istio';
import { textOf } from '../attributes/text-of.js';
import type { AttributeBag, StringMap, Value, ValueType, Vocabulary } from '../attributes/value-type.js';
import type { Expression } from '../expressions/compile-expression.js';
import { below, type Problems } from './problems.js';

/** Is told that a text was cut. */
export type OnCut = () => void;

/** A field of a template at work. */
export interface FilledField {
  readonly name: string;
  /** Undefined = an expression in it has no value. */
  readonly make: (bag: AttributeBag, onCut?: OnCut) => unknown;
  /** Expressions without a value, as `variables.latency (response.duration)`. */
  readonly missing: (bag: AttributeBag) => readonly string[];
}

export interface FilledTemplate {
  readonly fields: readonly FilledField[];
  readonly expressions: readonly Expression[];
  readonly value: ValueType | undefined;
  readonly maps: Readonly<Partial<Record<string, ReadonlyMap<string, ValueType>>>>;
}

const textual: readonly ValueType[] = ['STRING', 'IP_ADDRESS', 'DNS_NAME', 'EMAIL_ADDRESS', 'URI'];
const writable: readonly ValueType[] = [...textual, 'INT64', 'DOUBLE', 'BOOL'];

type Params = Readonly<Record<string, unknown>>;

/**
 * Compiles the fields of an instance.
 * @param params as the template's schema has them
 * @param longestText longer texts in maps are cut, in characters
 */
export function fillTemplate(
  fields: TemplateFields,
  params: Params,
  vocabulary: Vocabulary,
  problems: Problems,
  path: string,
  longestText: number,
): FilledTemplate {
  const filler = new Filler(vocabulary, problems, longestText);
  const filled = filler.fill(fields, params, path, '');
  return { fields: filled, expressions: filler.expressions, value: filler.value, maps: filler.maps };
}

class Filler {
  readonly expressions: Expression[] = [];
  readonly maps: Record<string, ReadonlyMap<string, ValueType>> = {};
  value: ValueType | undefined;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly problems: Problems,
    private readonly longestText: number,
  ) {}

  fill(fields: TemplateFields, params: Params, path: string, prefix: string): readonly FilledField[] {
    return Object.entries(fields).map(([name, field]) => {
      const at = below(path, name);
      const label = `${prefix}${name}`;
      const param = params[name];
      if (typeof field === 'object') return this.#message(name, field, (param ?? {}) as Params, at, label);
      if (field === 'VALUES') return this.#values(name, (param ?? {}) as Readonly<Record<string, string>>, at, label);
      return this.#single(name, field, param as string | undefined, at, label);
    });
  }

  #message(name: string, fields: TemplateFields, params: Params, path: string, label: string): FilledField {
    const filled = this.fill(fields, params, path, `${label}.`);
    return {
      name,
      make: (bag, onCut) => makeFields({}, filled, bag, onCut),
      missing: (bag) => filled.flatMap((field) => field.missing(bag)),
    };
  }

  #compile(text: string, path: string, expected?: readonly ValueType[]): Expression | undefined {
    const expression = this.problems.expression(path, text, this.vocabulary, expected);
    if (expression) this.expressions.push(expression);
    return expression;
  }

  #values(name: string, texts: Readonly<Record<string, string>>, path: string, label: string): FilledField {
    const entries = Object.entries(texts).flatMap(([key, text]) => {
      const expression = this.#compile(text, below(path, key));
      return expression ? [{ key, expression }] : [];
    });
    this.maps[label] = new Map(entries.map(({ key, expression }) => [key, expression.type] as const));
    const { longestText } = this;
    return {
      name,
      make: (bag, onCut) => {
        const made = new Map<string, Value>();
        for (const { key, expression } of entries) {
          const value = expression.evaluate(bag);
          if (value === undefined) return undefined;
          made.set(key, cut(value, longestText, onCut));
        }
        return made;
      },
      missing: (bag) => entries.flatMap(({ key, expression }) => missingOf(`${label}.${key}`, expression, bag)),
    };
  }

  #single(
    name: string,
    field: Exclude<TemplateField, 'VALUES'>,
    text: string | undefined,
    path: string,
    label: string,
  ): FilledField {
    if (text === undefined || text === '') {
      const zero = zeroOf(field);
      return { name, make: () => zero, missing: () => [] };
    }
    const expected = field === 'VALUE' ? undefined : field === 'TEXT' ? writable : asText(field);
    const expression = this.#compile(text, path, expected);
    if (!expression) return { name, make: () => undefined, missing: () => [label] };
    if (field === 'VALUE') this.value = expression.type;
    const { evaluate, type } = expression;
    const isText = textual.includes(type);
    const make =
      field !== 'TEXT' || isText
        ? evaluate
        : (bag: AttributeBag) => {
            const value = evaluate(bag);
            return value === undefined ? undefined : textOf(value);
          };
    return { name, make, missing: (bag) => missingOf(label, expression, bag) };
  }
}

/** Where a template asks for a text, what is a text in another form serves as well. */
function asText(type: ValueType): readonly ValueType[] {
  return type === 'STRING' ? textual : [type];
}

function zeroOf(field: Exclude<TemplateField, 'VALUES'>): Value {
  switch (field) {
    case 'INT64':
    case 'DOUBLE':
    case 'TIMESTAMP':
    case 'DURATION':
    case 'VALUE':
      return 0;
    case 'BOOL':
      return false;
    case 'STRING_MAP':
      return new Map<string, string>();
    default:
      return '';
  }
}

function cut(value: Value, longest: number, onCut: OnCut | undefined): Value {
  if (typeof value === 'string') {
    if (value.length <= longest) return value;
    onCut?.();
    return value.slice(0, longest);
  }
  return typeof value === 'object' ? cutMap(value, longest, onCut) : value;
}

function cutMap(map: StringMap, longest: number, onCut: OnCut | undefined): StringMap {
  let total = 0;
  for (const [key, value] of map) total += key.length + value.length;
  if (total <= longest) return map;
  onCut?.();
  const kept = new Map<string, string>();
  let room = longest;
  for (const [key, value] of map) {
    room -= key.length + value.length;
    if (room < 0) break;
    kept.set(key, value);
  }
  return kept;
}

function missingOf(label: string, { evaluate, reads }: Expression, bag: AttributeBag): readonly string[] {
  return evaluate(bag) === undefined ? [reads.length > 0 ? `${label} (${reads.join(', ')})` : label] : [];
}

/** Sets the fields on an object; undefined where one has no value. */
export function makeFields(
  made: Record<string, unknown>,
  fields: readonly FilledField[],
  bag: AttributeBag,
  onCut: OnCut | undefined,
): Record<string, unknown> | undefined {
  for (const { name, make } of fields) {
    const value = make(bag, onCut);
    if (value === undefined) return undefined;
    made[name] = value;
  }
  return made;
}
