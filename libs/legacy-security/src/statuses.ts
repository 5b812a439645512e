import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { isLegacySecurity, isReadWithLegacySecurity, type LegacySecurityOptions } from './input.js';
import { translateLegacySecurity } from './translate.js';

/**
 * The status of every object of an old security kind: the objects of today's API that it acts as, as they could be
 * written in its place.
 * @returns by key of the object
 */
export function legacySecurityStatuses(
  objects: readonly ConfigObject[],
  options: LegacySecurityOptions,
): ReadonlyMap<ObjectKey, object> {
  const old = objects.filter(isLegacySecurity);
  if (old.length === 0) return new Map();
  const { meaning, diagnostics } = translateLegacySecurity(objects.filter(isReadWithLegacySecurity), options);
  return new Map(
    old.map((object) => {
      const { kind, metadata } = object;
      const messages = diagnostics
        .filter(
          ({ object: of }) =>
            of?.kind === kind && of.name === metadata.name && (of.namespace ?? '') === metadata.namespace,
        )
        .map(({ path, message }) => condition(`${path}: ${message}`));
      return [
        objectKey(object),
        { actsAs: meaning(object).map(plain), ...(messages.length > 0 && { conditions: messages }) },
      ];
    }),
  );
}

/** A part of an object that is not in force as it is written. */
function condition(message: string): object {
  return { type: 'Translated', status: 'False', reason: 'NoCounterpart', message };
}

/** Without what only a derived object has. */
function plain({ apiVersion, kind, metadata, spec }: ConfigObject): object {
  const dryRun = metadata.annotations?.['istio.io/dry-run'];
  const annotations = dryRun === undefined ? {} : { annotations: { 'istio.io/dry-run': dryRun } };
  return { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace, ...annotations }, spec };
}
