import { ExpressionError } from './expression-error.js';

/** Longer texts are cut: a pattern's time may grow with the square of the text. */
export const maxMatched = 4096;
/** A repeated group that itself repeats: the time to match it doubles with each character. */
const explosive = /\((?:[^()\\]|\\.)*[+*}](?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,)/;

/** @throws ExpressionError where it is no pattern, or one that some texts would keep busy for ever */
export function safePattern(pattern: string, offset: number): RegExp {
  if (explosive.test(pattern))
    throw new ExpressionError('a repeated group must not repeat inside: some texts would take for ever', offset);
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    throw new ExpressionError(error instanceof Error ? error.message : String(error), offset);
  }
}
