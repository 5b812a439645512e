import type { Expression } from '../expressions/compile-expression.js';
import type { DerivedAttribute } from './policy.js';

/**
 * What an expression looks at, where some attributes are made of others: those as well.
 * @returns the same list where none are
 */
export function withDerivedReads(reads: readonly string[], derived: readonly DerivedAttribute[]): readonly string[] {
  const more = derived.filter(({ attribute }) =>
    reads.some((read) => read === attribute || read.startsWith(`${attribute}[`)),
  );
  if (more.length === 0) return reads;
  const all = more.flatMap(({ value, match }) => [...value.reads, ...(match?.reads ?? [])]);
  return [...new Set([...reads, ...all, ...scopes])].sort();
}

/** By which it is found out whose rules are about a request. */
const scopes = ['context.reporter.kind', 'destination.namespace', 'source.namespace'];

export function expressionWithDerived(
  expression: Expression | undefined,
  derived: readonly DerivedAttribute[],
): Expression | undefined {
  if (!expression || derived.length === 0) return expression;
  return { ...expression, reads: withDerivedReads(expression.reads, derived) };
}
