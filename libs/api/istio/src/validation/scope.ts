import type { Diagnostic, Severity } from '@seine/diagnostics';
import { childPath, type PathStep } from './field-path.js';

/** A field that is being looked at, and the list that what is found goes to. */
export class Scope {
  constructor(
    private readonly found: Diagnostic[],
    readonly path: string,
  ) {}

  at(...steps: readonly PathStep[]): Scope {
    return new Scope(this.found, steps.reduce<string>(childPath, this.path));
  }

  error(message: string, code = 'SEINE-INVALID'): void {
    this.report('error', code, message);
  }

  warning(message: string, code = 'SEINE-INVALID'): void {
    this.report('warning', code, message);
  }

  private report(severity: Severity, code: string, message: string): void {
    this.found.push({ severity, code, message, ...(this.path !== '' && { path: this.path }) });
  }
}
