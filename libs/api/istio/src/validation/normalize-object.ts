import { type ConfigObject, groupOf, type JsonSchema } from '@seine/k8s';
import { kindInfo } from '../kinds/catalog.js';
import { normalizeFields } from './normalize-value.js';
import { withMutualTls, withoutOldSpellings } from './old-spellings.js';

const metadataSchema: JsonSchema = {
  properties: { labels: {}, annotations: {}, creationTimestamp: {}, generateName: {}, uid: {}, resourceVersion: {} },
};

/**
 * Writes an object the one way that the rest of the program reads: fields that are null are left out, field names
 * in snake_case become camelCase, numbers written as strings become numbers. Istio takes all of these, since its API is
 * proto JSON. What the first versions of v1alpha3 wrote otherwise is written as today's. Nothing inside free-form fields (patches of an EnvoyFilter, settings of a plugin) is touched.
 * @returns the same object when there is nothing to change
 */
export function normalizeObject(object: ConfigObject): ConfigObject {
  const schema = kindInfo(object.apiVersion, object.kind)?.schema;
  const properties = { metadata: metadataSchema, status: {}, ...schema?.properties };
  const written = groupOf(object.apiVersion) === 'authentication.istio.io' ? withMutualTls(object) : object;
  const normal = normalizeFields(properties, written) as ConfigObject & Readonly<Record<string, unknown>>;
  return groupOf(object.apiVersion) === 'networking.istio.io' ? withoutOldSpellings(object.kind, normal) : normal;
}
