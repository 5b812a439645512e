import type { PrincipalInit } from '../authorization-policy/principals.js';

/**
 * A condition on requests that Envoy's RBAC can judge. Equal conditions have equal keys; those that need no request to be
 * judged are constants, so whatever can be left out of a policy is.
 */
export type Formula =
  | { readonly kind: 'constant'; readonly value: boolean; readonly key: string }
  | { readonly kind: 'atom'; readonly principal: PrincipalInit; readonly key: string }
  | { readonly kind: 'not'; readonly of: Formula; readonly key: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Formula[]; readonly key: string };

export const always: Formula = Object.freeze({ kind: 'constant', value: true, key: 'true' });
export const never: Formula = Object.freeze({ kind: 'constant', value: false, key: 'false' });

export function constantFormula(value: boolean): Formula {
  return value ? always : never;
}

export function atom(principal: PrincipalInit): Formula {
  return { kind: 'atom', principal, key: JSON.stringify(principal) };
}

export function not(of: Formula): Formula {
  if (of.kind === 'constant') return constantFormula(!of.value);
  return of.kind === 'not' ? of.of : { kind: 'not', of, key: `!${of.key}` };
}

export function and(...of: readonly Formula[]): Formula {
  return join('and', of);
}

export function or(...of: readonly Formula[]): Formula {
  return join('or', of);
}

function join(kind: 'and' | 'or', all: readonly Formula[]): Formula {
  const decisive = constantFormula(kind === 'or');
  const parts = new Map<string, Formula>();
  for (const part of all.flatMap((one) => (one.kind === kind ? one.of : [one]))) {
    if (part.kind === 'constant' && part.value !== (decisive === always)) continue;
    if (part.kind === 'constant' || parts.has(not(part).key)) return decisive;
    parts.set(part.key, part);
  }
  const of = [...parts.values()];
  const [only] = of;
  if (!only) return not(decisive);
  if (of.length === 1) return only;
  return { kind, of, key: `${kind}(${[...parts.keys()].join(',')})` };
}

export function isAlways(formula: Formula): boolean {
  return formula.kind === 'constant' && formula.value;
}

export function isNever(formula: Formula): boolean {
  return formula.kind === 'constant' && !formula.value;
}

/** So many cases are looked at; more of them than any rule has that somebody wrote. */
const maxCases = 512;

/**
 * Whether a formula holds for no request, whatever its atoms say. Of formulas that are too large to tell it is false.
 */
export function isImpossible(formula: Formula): boolean {
  let cases = 0;
  const holdsNowhere = (one: Formula): boolean => {
    if (one.kind === 'constant') return !one.value;
    const first = firstAtom(one);
    if (first === undefined || ++cases > maxCases) return false;
    return holdsNowhere(assume(one, first, true)) && holdsNowhere(assume(one, first, false));
  };
  return holdsNowhere(formula);
}

function firstAtom(formula: Formula): string | undefined {
  switch (formula.kind) {
    case 'constant':
      return undefined;
    case 'atom':
      return formula.key;
    case 'not':
      return firstAtom(formula.of);
    default:
      return formula.of[0] && firstAtom(formula.of[0]);
  }
}

/** What is left of a formula when one of its atoms is known. */
function assume(formula: Formula, key: string, value: boolean): Formula {
  switch (formula.kind) {
    case 'constant':
      return formula;
    case 'atom':
      return formula.key === key ? constantFormula(value) : formula;
    case 'not':
      return not(assume(formula.of, key, value));
    default:
      return join(
        formula.kind,
        formula.of.map((part) => assume(part, key, value)),
      );
  }
}

/** The formula as a principal of RBAC, which looks at requests as permissions do. */
export function toPrincipal(formula: Formula): PrincipalInit {
  switch (formula.kind) {
    case 'constant': {
      const anyone: PrincipalInit = { identifier: { case: 'any', value: true } };
      return formula.value ? anyone : { identifier: { case: 'notId', value: anyone } };
    }
    case 'atom':
      return formula.principal;
    case 'not':
      return { identifier: { case: 'notId', value: toPrincipal(formula.of) } };
    case 'and':
      return { identifier: { case: 'andIds', value: { ids: formula.of.map(toPrincipal) } } };
    case 'or':
      return { identifier: { case: 'orIds', value: { ids: formula.of.map(toPrincipal) } } };
  }
}
