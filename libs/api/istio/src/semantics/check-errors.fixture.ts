import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

/** A spec, and the paths of what is wrong with it. */
export type Row = readonly [what: string, spec: unknown, ...errors: readonly string[]];

/** Paths of errors (or `warning` and the path) for a spec. */
function found(kind: string, spec: unknown): readonly string[] {
  return semanticErrors(kind, spec).map(({ severity, path }) =>
    severity === 'error' ? (path ?? '') : `warning ${path}`,
  );
}

/** Checks a kind by a table. */
export function check(kind: string, rows: readonly Row[]): void {
  describe(kind, () => {
    it.each(rows)('%s', (...[, spec, ...errors]) => expect(found(kind, spec)).toEqual(errors));
  });
}
