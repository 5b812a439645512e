import type { Diagnostic } from '@seine/diagnostics';
import { compilePolicy, type PolicyOptions } from './compile-policy.js';
import type { PolicyObjects } from './policy-objects.js';
import { mixerProblem } from './problems.js';

/** Codes of what only mixer finds: SEINE-MIXER, and IST0101 for references that lead nowhere. */
export const policyProblemCodes: ReadonlySet<string> = new Set([mixerProblem, 'IST0101']);

/** What is wrong with mixer's objects beyond what each shows by itself (`validateObject`). */
export function policyProblems(objects: PolicyObjects, options: PolicyOptions): readonly Diagnostic[] {
  // Nothing of mixer's is there in most meshes.
  if (objects.length === 0) return [];
  return compilePolicy(objects, options).problems.filter(({ code }) => policyProblemCodes.has(code));
}
