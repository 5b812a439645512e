import type { Diagnostic } from '@seine/diagnostics';
import type { JsonSchema } from '@seine/k8s';
import { type Fields, isFields } from '../rules/fields.js';
import { normalizeFields } from './normalize-value.js';
import { schemaErrors } from './schema-errors.js';

export interface ReadParams {
  /** Undefined where the parameters are not what they must be. */
  readonly params: Fields | undefined;
  /** Errors, and warnings of fields that are not known; paths begin below the parameters. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads free-form parameters (`spec.params` of a handler) by the schema of the adapter that takes them, as proto JSON:
 * names in snake_case, numbers as texts and null are taken as in `normalizeObject`. What is left out gets the schema's
 * `default`.
 */
export function readParams(schema: JsonSchema, params: unknown): ReadParams {
  const given = isFields(params) ? normalizeFields(schema.properties ?? {}, params) : (params ?? {});
  const diagnostics = schemaErrors(schema, given);
  const broken = diagnostics.some(({ severity }) => severity === 'error');
  return { params: broken ? undefined : (withDefaults(schema, given) as Fields), diagnostics };
}

function withDefaults(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.map((item) => withDefaults(items, item)) : value;
  }
  if (!isFields(value)) return value;
  const { properties = {}, additionalProperties: others } = schema;
  const filled: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(properties))
    if (!Object.hasOwn(value, name) && field.default !== undefined) filled[name] = withDefaults(field, field.default);
  for (const [name, field] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : typeof others === 'object' ? others : undefined;
    filled[name] = known ? withDefaults(known, field) : field;
  }
  return filled;
}
