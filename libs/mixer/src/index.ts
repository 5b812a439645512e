/** The core of mixer: what is known of a request, and what rules make of it. No sockets, no clock. */
export * from './adapters/adapter.js';
export * from './attributes/normalize.js';
export * from './attributes/value-type.js';
export { compileExpression, type Expression } from './expressions/compile-expression.js';
export { ExpressionError } from './expressions/expression-error.js';
export { parseTimestamp } from './expressions/times.js';
export * from './templates/template.js';
