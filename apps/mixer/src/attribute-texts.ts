import type { StringMap } from '@seine/mixer';
import type { Struct, StructValue } from './check/struct.js';

/** Lists with a comma between; what is no list and no text has no place in a map of texts. */
export function claimText(value: StructValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  const texts = (value as readonly StructValue[]).map(claimText);
  return texts.every((text) => text !== undefined) ? texts.join(',') : undefined;
}

/** Of a name that comes more than once the first value. */
export function parseQuery(path: string): StringMap {
  const query = new Map<string, string>();
  const at = path.indexOf('?');
  if (at < 0) return query;
  for (const [name, value] of new URLSearchParams(path.slice(at + 1).split('#', 1)[0]))
    if (!query.has(name)) query.set(name, value);
  return query;
}

/** Claims of a token as a map of texts. */
export function claimTexts(claims: Struct | undefined): StringMap | undefined {
  if (!claims) return undefined;
  const texts = new Map<string, string>();
  for (const [name, value] of claims) {
    const text = claimText(value);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}
