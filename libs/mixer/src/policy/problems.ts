import type { Diagnostic, Severity } from '@seine/diagnostics';
import { childPath } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { compileExpression, type Expression } from '../expressions/compile-expression.js';
import { ExpressionError } from '../expressions/expression-error.js';
import type { ValueType, Vocabulary } from '../attributes/value-type.js';
import { refOf } from './names.js';

/** What only mixer finds: expressions, parameters of adapters, what does not fit together. */
export const mixerProblem = 'SEINE-MIXER';

/** What is found wrong with one object while it is compiled. */
export class Problems {
  readonly found: Diagnostic[] = [];

  constructor(readonly object: ConfigObject) {}

  error(path: string, message: string, code = mixerProblem): void {
    this.#report('error', path, message, code);
  }

  warning(path: string, message: string, code = mixerProblem): void {
    this.#report('warning', path, message, code);
  }

  /** Compiles an expression at a path; undefined, and a problem, where it is none. */
  expression(
    path: string,
    text: string,
    vocabulary: Vocabulary,
    expected?: readonly ValueType[],
  ): Expression | undefined {
    try {
      return compileExpression(text, vocabulary, expected);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.error(path, `${error.message} (at character ${error.offset + 1} of ${shown(text)})`);
      return undefined;
    }
  }

  #report(severity: Severity, path: string, message: string, code: string): void {
    this.found.push({ severity, code, message, path, object: refOf(this.object) });
  }
}

const longest = 200;

function shown(text: string): string {
  return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

export const below = childPath;
