import type { Value, ValueType } from '@seine/mixer';
import { textOf } from '../values/values.js';

type Values = ReadonlyMap<string, Value>;
type Types = ReadonlyMap<string, ValueType> | undefined;

/** What has a meaning of its own in StatsD's protocol, and what breaks lines. */
const special = /[:|@#\s]/g;

/** Text as it may stand in a name or a tag. */
export const plainName = (text: string): string => text.replace(special, '_');

/** Longer names are of no use to anybody. */
const longest = 512;

const field = /\{\{\s*\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;

/** The dimensions that a template names; undefined where it has what is not understood. */
export function templateFields(template: string): readonly string[] | undefined {
  if (/\{\{|\}\}/.test(template.replace(field, ''))) return undefined;
  return [...template.matchAll(field)].map(([, name = '']) => name);
}

/** Fills `{{.apiMethod}}-{{.responseCode}}`, of Go's templates the part that names take, from dimensions. */
export function nameTemplate(template: string, types: Types): (dimensions: Values) => string {
  const names = templateFields(template) ?? [];
  const texts = template.split(field).filter((_, i) => i % 2 === 0);
  return (dimensions) => {
    let name = texts[0] ?? '';
    names.forEach((key, i) => (name += textOf(dimensions.get(key), types?.get(key)) + (texts[i + 1] ?? '')));
    return plainName(name.slice(0, longest));
  };
}
