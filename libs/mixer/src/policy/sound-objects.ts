import type { Diagnostic } from '@seine/diagnostics';
import { validateObject } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import { fullName } from './names.js';
import type { PolicyObjects } from './policy-objects.js';

/** Whoever writes the mesh log validates; what comes by another way is held to the same. */
const errorsOf = memo('mixer-sound-object', (object: ConfigObject): readonly Diagnostic[] =>
  validateObject(object).filter(({ severity }) => severity === 'error'),
);

export interface SoundObjects {
  readonly objects: PolicyObjects;
  readonly problems: readonly Diagnostic[];
}

/** The objects that are what their kinds ask for; in the place of others, what they were before. @param before by full name */
export function soundObjects(objects: PolicyObjects, before: ReadonlyMap<string, ConfigObject>): SoundObjects {
  const problems: Diagnostic[] = [];
  const sound = objects.flatMap((object) => {
    const errors = errorsOf(object);
    if (errors.length === 0) return [object];
    problems.push(...errors);
    const kept = before.get(fullName(object));
    return kept ? [kept] : [];
  });
  return { objects: sound, problems };
}
