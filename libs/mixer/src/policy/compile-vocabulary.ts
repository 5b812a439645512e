import type { Diagnostic } from '@seine/diagnostics';
import type { AttributeManifestSpec } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import { mixerVocabulary } from '../attributes/mixer-vocabulary.js';
import { type ValueType, valueTypes, type Vocabulary } from '../attributes/value-type.js';
import { below, Problems } from './problems.js';

export interface CompiledVocabulary {
  readonly vocabulary: Vocabulary;
  readonly problems: readonly Diagnostic[];
}

const known: ReadonlySet<string> = new Set(valueTypes);

/**
 * Istio's attributes and what manifests add to them. An attribute keeps the type that it had first: what expressions of others
 * mean must not depend on one object.
 * @param manifests an interned list
 */
export const compileVocabulary = memo('mixer-vocabulary', (manifests: readonly ConfigObject[]): CompiledVocabulary => {
  const vocabulary = new Map<string, ValueType>(mixerVocabulary);
  const problems: Diagnostic[] = [];
  for (const manifest of manifests) {
    const found = new Problems(manifest);
    const { attributes } = (manifest.spec ?? {}) as AttributeManifestSpec;
    for (const [name, { valueType = '' }] of Object.entries(attributes ?? {})) {
      const before = vocabulary.get(name);
      if (before !== undefined && before !== valueType)
        found.error(below('spec.attributes', name), `is ${before} already, and so cannot be ${valueType}`);
      else if (known.has(valueType)) vocabulary.set(name, valueType as ValueType);
    }
    problems.push(...found.found);
  }
  return { vocabulary, problems };
});
