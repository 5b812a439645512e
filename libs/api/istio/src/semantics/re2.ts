import { loadRe2 } from '../load-when-needed.js';

/** As Istio: Envoy's limit is on the compiled program, which is larger than its text. */
const maxLength = 1024;

/** The complaint about a text that RE2, which Envoy uses, does not take as an expression; undefined when it does. */
export function re2SyntaxError(expression: string): string | undefined {
  if (expression.length > maxLength) return `longer than ${maxLength} characters`;
  try {
    loadRe2().RE2JS.compile(expression);
    return undefined;
  } catch (error) {
    // The parser reports syntax errors by exceptions.
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether RE2 finds an expression anywhere in a text; one that is no expression is nowhere. */
export function re2Matches(expression: string, text: string): boolean {
  return re2SyntaxError(expression) === undefined && loadRe2().RE2JS.compile(expression).test(text);
}
