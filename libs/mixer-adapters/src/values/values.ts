import type { InstanceTypes, StringMap, Value, ValueType } from '@seine/mixer';
import { goDuration } from './go-duration.js';

type Values = ReadonlyMap<string, Value>;

/** RFC 3339; a time that is none is the first of all. */
export function rfc3339(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

const mapOf = (map: StringMap): Readonly<Record<string, string>> => Object.fromEntries(map);

/** A value as text, as Mixer handed it to what knows text only: labels, tags, keys. */
export function textOf(value: Value | undefined, type: ValueType | undefined): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      if (type === 'DURATION') return goDuration(value);
      return type === 'TIMESTAMP' ? rfc3339(value) : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return '';
    default:
      return JSON.stringify(mapOf(value));
  }
}

export type JsonValue = string | number | boolean | Readonly<Record<string, string>>;

/** A value as JSON has it: times are text. */
export function jsonOf(value: Value, type: ValueType | undefined): JsonValue {
  if (typeof value === 'object') return mapOf(value);
  return typeof value === 'number' && (type === 'DURATION' || type === 'TIMESTAMP') ? textOf(value, type) : value;
}

/** JSON of a map of values. */
export function jsonMap(values: Values, types: ReadonlyMap<string, ValueType> | undefined): Record<string, JsonValue> {
  const json: Record<string, JsonValue> = {};
  for (const [name, value] of values) json[name] = jsonOf(value, types?.get(name));
  return json;
}

/** A value as a number; times in seconds. NaN where it is none. */
export function numberOf(value: Value, type: ValueType | undefined): number {
  if (typeof value === 'number') return type === 'DURATION' || type === 'TIMESTAMP' ? value / 1000 : value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
}

/** The types of one of an instance's maps. */
export function typesOf(
  instances: ReadonlyMap<string, InstanceTypes>,
  instance: string,
  map: string,
): ReadonlyMap<string, ValueType> | undefined {
  return instances.get(instance)?.maps[map];
}
