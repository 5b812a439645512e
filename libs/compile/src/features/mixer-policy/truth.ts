import { always, and, constantFormula, type Formula, never, not, or } from './formula.js';

/** What a proxy can say of a condition: it holds at least where `least` does, and at most where `most` does. */
export interface Bounds {
  readonly least: Formula;
  readonly most: Formula;
}

/**
 * A condition as mixer has it: true, false, or, where it looks at something that is not there, neither. What a proxy cannot
 * judge lies between the bounds.
 */
export interface Truth {
  readonly holds: Bounds;
  readonly fails: Bounds;
  /** Why the bounds are apart: what the proxy does not know. */
  readonly unknown: readonly string[];
}

const exactly = (formula: Formula): Bounds => ({ least: formula, most: formula });
const nothing = exactly(never);

export function isExact({ least, most }: Bounds): boolean {
  return least.key === most.key;
}

/** @param holds where it is true @param fails where it is false; where it is neither, it has no value */
export function truth(holds: Formula, fails: Formula): Truth {
  return { holds: exactly(holds), fails: exactly(fails), unknown: [] };
}

/** Undefined: what it looks at is never there. */
export function constantTruth(value: boolean | undefined): Truth {
  if (value === undefined) return { holds: nothing, fails: nothing, unknown: [] };
  return truth(constantFormula(value), constantFormula(!value));
}

export function unknownTruth(why: string): Truth {
  const anything = { least: never, most: always };
  return { holds: anything, fails: anything, unknown: [why] };
}

export function negate({ holds, fails, unknown }: Truth): Truth {
  return { holds: fails, fails: holds, unknown };
}

export function both(...all: readonly Bounds[]): Bounds {
  return { least: and(...all.map(({ least }) => least)), most: and(...all.map(({ most }) => most)) };
}

export function either(...all: readonly Bounds[]): Bounds {
  return { least: or(...all.map(({ least }) => least)), most: or(...all.map(({ most }) => most)) };
}

/** What is sure not to be, may not be otherwise. */
export function neither(...all: readonly Bounds[]): Bounds {
  const { least, most } = either(...all);
  return { least: not(most), most: not(least) };
}

/** @param of what it was made of: only what is still in question is worth telling */
export function settled(holds: Bounds, fails: Bounds, ...of: readonly Truth[]): Truth {
  const unknown = isExact(holds) && isExact(fails) ? [] : [...new Set(of.flatMap((one) => one.unknown))];
  return { holds, fails, unknown };
}

/** As CEL has it: what is known decides, even where the other side has no value. */
export function conjunction(a: Truth, b: Truth): Truth {
  return settled(both(a.holds, b.holds), either(a.fails, b.fails), a, b);
}

export function disjunction(a: Truth, b: Truth): Truth {
  return settled(either(a.holds, b.holds), both(a.fails, b.fails), a, b);
}

/** `a | b` */
export function firstKnown(a: Truth, b: Truth): Truth {
  const absent = neither(a.holds, a.fails);
  return settled(either(a.holds, both(absent, b.holds)), either(a.fails, both(absent, b.fails)), a, b);
}

/** `test ? a : b` */
export function choice(test: Truth, a: Truth, b: Truth): Truth {
  return settled(
    either(both(test.holds, a.holds), both(test.fails, b.holds)),
    either(both(test.holds, a.fails), both(test.fails, b.fails)),
    test,
    a,
    b,
  );
}
