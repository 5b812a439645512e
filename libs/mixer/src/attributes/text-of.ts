import type { Value } from './value-type.js';

/** A value as text; a map as `key=value` pairs. */
export function textOf(value: Value): string {
  return typeof value === 'object' ? [...value].map(([key, of]) => `${key}=${of}`).join(',') : String(value);
}
