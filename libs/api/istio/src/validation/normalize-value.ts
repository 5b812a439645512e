import type { JsonSchema } from '@seine/k8s';
import { type Fields, isFields } from '../rules/fields.js';

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A known field under its own name or, as proto JSON allows, its name in the proto file; others stay as they are. */
function fieldName(name: string, properties: Fields, fields: Fields): string {
  if (!name.includes('_') || name in properties) return name;
  const camel = camelCase(name);
  return camel in properties && !(camel in fields) ? camel : name;
}

export function normalizeFields(properties: Readonly<Record<string, JsonSchema>>, fields: Fields): Fields {
  const entries: (readonly [string, unknown])[] = [];
  let changed = false;
  for (const [key, value] of Object.entries(fields)) {
    const name = fieldName(key, properties, fields);
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const normal = known ? normalizeValue(known, value) : value;
    if (normal !== value || name !== key || (known && value === null)) changed = true;
    if (!(known && value === null)) entries.push([name, normal]);
  }
  return changed ? Object.fromEntries(entries) : fields;
}

function normalizeMap(values: JsonSchema, map: Fields): Fields {
  const entries = Object.entries(map).map(([key, value]) => [key, normalizeValue(values, value)] as const);
  return entries.some(([key, value]) => value !== map[key]) ? Object.fromEntries(entries) : map;
}

function normalizeList(items: JsonSchema, list: readonly unknown[]): readonly unknown[] {
  const normal = list.map((item) => normalizeValue(items, item));
  return normal.some((item, i) => item !== list[i]) ? normal : list;
}

function normalizeNumber({ type }: JsonSchema, text: string): unknown {
  const isNumber = type === 'integer' ? /^-?\d{1,15}$/.test(text) : /^-?\d{1,15}(\.\d+)?$/.test(text);
  return isNumber ? Number(text) : text;
}

/** Writes a value the one way that a schema says; see `normalizeObject`. */
export function normalizeValue(schema: JsonSchema, value: unknown): unknown {
  if (schema['x-kubernetes-preserve-unknown-fields']) return value;
  if (Array.isArray(value)) return schema.items ? normalizeList(schema.items, value) : value;
  if (isFields(value)) {
    if (schema.properties) return normalizeFields(schema.properties, value);
    return typeof schema.additionalProperties === 'object' ? normalizeMap(schema.additionalProperties, value) : value;
  }
  if (typeof value === 'string' && (schema.type === 'integer' || schema.type === 'number'))
    return normalizeNumber(schema, value);
  if (typeof value === 'number' && schema['x-seine-numbered']) return schema.enum?.[value] ?? value;
  return value;
}
