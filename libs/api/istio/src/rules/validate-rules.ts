import { celInput, evaluateRule } from './cel.js';
import type { Diagnostic } from '@seine/diagnostics';
import type { JsonSchema } from '@seine/k8s';
import { Scope } from '../validation/scope.js';
import { fieldSchema, type Fields, isFields, isList } from './fields.js';

const withRules = new WeakMap<JsonSchema, boolean>();

/** Whether anything in a schema is for this module: most of a large object need not be walked through. */
function hasRules(schema: JsonSchema): boolean {
  let known = withRules.get(schema);
  if (known === undefined) {
    known =
      schema['x-kubernetes-validations'] !== undefined ||
      schema['x-seine-oneofs'] !== undefined ||
      schema['x-kubernetes-list-map-keys'] !== undefined ||
      isDeprecated(schema) ||
      [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties].some(
        (child) => typeof child === 'object' && hasRules(child),
      );
    withRules.set(schema, known);
  }
  return known;
}

function isDeprecated(schema: JsonSchema): boolean {
  return schema.description?.startsWith('Deprecated: ') ?? false;
}

function checkOneofs(groups: readonly (readonly string[])[], value: Fields, scope: Scope) {
  for (const group of groups) {
    const set = group.filter((field) => Object.hasOwn(value, field));
    if (set.length > 1)
      scope.error(`Only one of ${group.join(', ')} can be set, but ${set.join(' and ')} are.`, 'SEINE-SCHEMA');
  }
}

function checkKeys(key: string, value: readonly unknown[], scope: Scope): void {
  const seen = new Set<unknown>();
  for (const [i, item] of value.entries()) {
    const id = isFields(item) ? item[key] : undefined;
    if (id === undefined) continue;
    if (seen.has(id))
      scope.at(i, key).error(`Duplicate value: another entry has ${JSON.stringify(id)} already.`, 'SEINE-SCHEMA');
    seen.add(id);
  }
}

function checkCel(schema: JsonSchema, value: unknown, scope: Scope): void {
  const rules = schema['x-kubernetes-validations'];
  if (!rules) return;
  const self = celInput(value, schema);
  for (const { rule, message } of rules) {
    const { holds, failure } = evaluateRule(rule, self);
    if (!holds) scope.error(failure === undefined ? `${message}.` : `${message} (${failure}).`, 'SEINE-SCHEMA');
  }
}

function walk(schema: JsonSchema, value: unknown, scope: Scope): void {
  if (!hasRules(schema)) return;
  if (isDeprecated(schema)) scope.warning(schema.description ?? '', 'SEINE-DEPRECATED');
  checkCel(schema, value, scope);
  if (isList(value)) {
    const [key] = schema['x-kubernetes-list-map-keys'] ?? [];
    if (key !== undefined) checkKeys(key, value, scope);
    const { items } = schema;
    if (items && hasRules(items)) value.forEach((item, i) => walk(items, item, scope.at(i)));
  } else if (isFields(value)) {
    checkOneofs(schema['x-seine-oneofs'] ?? [], value, scope);
    for (const [field, child] of Object.entries(value)) {
      const childSchema = fieldSchema(schema, field);
      if (childSchema) walk(childSchema, child, scope.at(field));
    }
  }
}

/**
 * Checks what a schema says between fields: CEL rules, oneofs, keys of lists (SEINE-SCHEMA), and deprecated fields
 * (SEINE-DEPRECATED warnings). The value must have the structure that the schema describes.
 */
export function ruleErrors(schema: JsonSchema, value: unknown): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  walk(schema, value, new Scope(found, ''));
  return found;
}
