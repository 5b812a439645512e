import { parseDuration } from '@seine/istio';

/** Milliseconds of a duration that the schema has let through. */
export function milliseconds(text: string): number {
  return parseDuration(text) ?? 0;
}
