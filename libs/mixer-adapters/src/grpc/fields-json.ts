import type { InstanceTypes, TemplateName, Templates, Value, ValueType } from '@seine/mixer';
import { rfc3339 } from '../values/values.js';

/** Fields of templates that are times. */
const timestamps: ReadonlySet<string> = new Set(['timestamp', 'startTime', 'endTime']);

/** As proto JSON writes durations: seconds. */
const seconds = (milliseconds: number): string => `${Number((milliseconds / 1000).toFixed(9))}s`;

function plain(value: Value, type: ValueType | undefined): unknown {
  if (typeof value === 'object') return Object.fromEntries(value);
  if (typeof value !== 'number') return value;
  if (type === 'DURATION') return seconds(value);
  return type === 'TIMESTAMP' ? rfc3339(value) : value;
}

/** One of an instance's maps, or a field of several. */
function nested(fields: object, types: InstanceTypes | undefined, path: string): unknown {
  if (fields instanceof Map) {
    const known = types?.maps[path];
    return Object.fromEntries(
      [...(fields as Map<string, Value>)].map(([key, value]) => [key, plain(value, known?.get(key))]),
    );
  }
  const made: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields as Readonly<Record<string, Value | object>>)) {
    const below = path === '' ? key : `${path}.${key}`;
    if (path === '' && key === 'instance') continue;
    if (typeof value === 'object') made[key] = nested(value, types, below);
    else if (below === 'value') made[key] = plain(value, types?.value);
    else made[key] = plain(value, timestamps.has(below) ? 'TIMESTAMP' : undefined);
  }
  return made;
}

/** An instance's fields as `Instance.fields_json` has them. */
export function fieldsJson(instance: Templates[TemplateName], types: InstanceTypes | undefined): string {
  return JSON.stringify(nested(instance, types, ''));
}
