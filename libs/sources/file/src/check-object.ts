import { type Diagnostic, hasErrors, type ObjectRef } from '@seine/diagnostics';
import { validateObject } from '@seine/istio';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepFreeze } from '@seine/memo';
import { expandLists, type Identity, identityOf, missingIdentity, readObject } from './read-object.js';

/** A value that should be a config object, judged. */
export interface CheckedObject {
  /** Undefined where not even that can be read. */
  readonly key: ObjectKey | undefined;
  readonly ref: ObjectRef | undefined;
  /** Undefined where there are errors. */
  readonly object: ConfigObject | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

function check(value: unknown, identity: Identity | undefined): CheckedObject {
  if (!identity) return { key: undefined, ref: undefined, object: undefined, diagnostics: [missingIdentity(value)] };
  const object = deepFreeze(readObject(value, identity));
  const { key, ref } = identity;
  const diagnostics = validateObject(object).map((diagnostic) => ({ ...diagnostic, object: diagnostic.object ?? ref }));
  return { key, ref, object: hasErrors(diagnostics) ? undefined : object, diagnostics };
}

/** Reads and validates one value as the documents of files are: the namespace filled in, `List` kinds taken apart. */
export function checkObjects(value: unknown): readonly CheckedObject[] {
  return expandLists(value).map((raw) => check(raw.value, identityOf(raw.value)));
}
