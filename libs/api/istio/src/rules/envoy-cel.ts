import { loadCel } from '../load-when-needed.js';
import { isFields } from './fields.js';

/**
 * What CEL in Envoy's loggers may call, tried with Envoy 1.40. Another function, or a macro that loops, and Envoy
 * refuses every listener that has the expression.
 */
const functions: ReadonlySet<string> = new Set([
  ...['size', 'contains', 'startsWith', 'endsWith', 'matches', 'int', 'uint', 'double', 'bool', 'bytes', 'type', 'dyn'],
  ...['duration', 'timestamp', 'getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds', '@in'],
]);

/** Operators of CEL's syntax tree: `_&&_`, `!_`, `_[_]`. */
const isOperator = (name: string): boolean => name.includes('_');

function problemIn(node: unknown): string | undefined {
  if (Array.isArray(node)) return firstProblem(node);
  if (!isFields(node)) return undefined;
  if (node['case'] === 'comprehensionExpr') return 'has a macro that loops (all, exists, map, filter)';
  const { function: name } = node;
  if (typeof name === 'string' && name !== '' && !isOperator(name) && !functions.has(name)) return `calls ${name}()`;
  return firstProblem(Object.values(node));
}

function firstProblem(nodes: readonly unknown[]): string | undefined {
  for (const node of nodes) {
    const problem = problemIn(node);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The complaint about an expression that Envoy's loggers do not take; undefined when they do. */
export function envoyCelProblem(expression: string): string | undefined {
  try {
    const problem = problemIn(loadCel().parse(expression).expr);
    return problem === undefined ? undefined : `${problem}, which Envoy's loggers do not have.`;
  } catch (error) {
    // The parser reports syntax errors by exceptions.
    return `is not a CEL expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The same of a metric's tag, whose value becomes a text anyway: a conversion around all of it is taken away. */
export function tagCelProblem(expression: string): string | undefined {
  if (expression.includes(')%')) return 'has the characters ")%", which end an expression in Envoy.';
  const inner = /^\s*string\((.*)\)\s*$/s.exec(expression)?.[1];
  return envoyCelProblem(inner !== undefined && envoyCelProblem(inner) === undefined ? inner : expression);
}
