import type { Value } from '@seine/mixer';
import { always, and, constantFormula, type Formula, isNever, not, or } from './formula.js';
import { type Truth, truth, unknownTruth } from './truth.js';

/** A text of a request that Envoy can compare with others. Undefined: not with this one. */
export interface Text {
  readonly kind: 'text';
  /** What text it is: two with the same id are equal. */
  readonly id: string;
  /** How Envoy writes it into the body of an answer (command operators of access logs); absent: it cannot. */
  readonly written?: string;
  readonly is: (other: string) => Formula | undefined;
  readonly startsWith?: (other: string) => Formula | undefined;
  readonly endsWith?: (other: string) => Formula | undefined;
  readonly contains?: (other: string) => Formula | undefined;
}

export interface Literal {
  readonly kind: 'literal';
  readonly value: Value;
}

/** Something that only mixer knows. */
export interface Opaque {
  readonly kind: 'opaque';
  readonly why: string;
}

/** One of the values that an expression may have, and when it has it. */
export interface Case {
  readonly when: Formula;
  readonly value: Literal | Text | Opaque;
}

/** The values of an expression; of no two the conditions hold at once. Where none holds, it has no value. */
export type Term = readonly Case[];

/** Whether it has a value. */
export function isKnown(term: Term): Truth {
  const opaque = term.find(({ value }) => value.kind === 'opaque')?.value as Opaque | undefined;
  if (opaque) return unknownTruth(opaque.why);
  const known = or(...term.map(({ when }) => when));
  return truth(known, not(known));
}

/** `a | b` */
export function firstOf(a: Term, b: Term): Term {
  const known = isKnown(a);
  const [why] = known.unknown;
  // Whether it has a value only mixer knows, and so which of the two it is.
  if (why !== undefined) return [...a, ...guard(and(...a.map(({ when }) => not(when))), b)];
  return [...a, ...guard(known.fails.least, b)];
}

/** A term that has values only where a condition holds. */
export function guard(when: Formula, term: Term): Term {
  return term.map((one) => ({ ...one, when: and(when, one.when) })).filter((one) => !isNever(one.when));
}

/** A comparison of texts. */
export type Comparison = 'is' | 'startsWith' | 'endsWith' | 'contains';

const ofLiterals: Readonly<Record<Comparison, (a: string, b: string) => boolean>> = {
  is: (a, b) => a === b,
  startsWith: (a, b) => a.startsWith(b),
  endsWith: (a, b) => a.endsWith(b),
  contains: (a, b) => a.includes(b),
};

/** What comes of comparing each value of one term with each of another. It has no value where one of them has none. */
export function compare(a: Term, b: Term, how: Comparison): Truth {
  const holds = { least: [] as Formula[], most: [] as Formula[] };
  const fails = { least: [] as Formula[], most: [] as Formula[] };
  const unknown = new Set<string>();
  for (const left of a)
    for (const right of b) {
      const when = and(left.when, right.when);
      const result = compareValues(left.value, right.value, how);
      if (typeof result === 'string') {
        unknown.add(result);
        holds.most.push(when);
        fails.most.push(when);
        continue;
      }
      for (const part of ['least', 'most'] as const) {
        holds[part].push(and(when, result));
        fails[part].push(and(when, not(result)));
      }
    }
  const joined = ({ least, most }: typeof holds) => ({ least: or(...least), most: or(...most) });
  return { holds: joined(holds), fails: joined(fails), unknown: [...unknown] };
}

function compareLiterals(a: Value, b: Value, how: Comparison): Formula | string {
  if (typeof a === 'string' && typeof b === 'string') return constantFormula(ofLiterals[how](a, b));
  return typeof a === 'object' || how !== 'is' ? 'maps are compared by mixer' : constantFormula(a === b);
}

/** @returns when they compare, or why a proxy cannot tell */
function compareValues(a: Case['value'], b: Case['value'], how: Comparison): Formula | string {
  if (a.kind === 'opaque') return a.why;
  if (b.kind === 'opaque') return b.why;
  if (a.kind === 'literal' && b.kind === 'literal') return compareLiterals(a.value, b.value, how);
  if (a.kind === 'text' && b.kind === 'text') {
    if (a.id === b.id) return always;
    return `${a.id} and ${b.id} are both of the request: Envoy's RBAC compares with what is known before`;
  }
  const [text, literal] = a.kind === 'text' ? [a, b] : [b as Text, a];
  // Of those comparisons that are not the same both ways, the text is what is searched.
  if (how !== 'is' && text !== a) return `${text.id} is what is looked for: mixer does that`;
  const other = (literal as Literal).value;
  return (
    (typeof other === 'string' ? text[how]?.(other) : undefined) ??
    `Envoy's RBAC cannot compare ${text.id} with ${JSON.stringify(other)}`
  );
}
