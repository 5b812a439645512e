import { usageError } from './command-error.js';

const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/**
 * A duration as Go writes it (`30s`, `1m30s`, `500ms`), in seconds.
 * @throws CommandError (usage) for anything else
 */
export function parseSeconds(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw usageError(`${flag}: ${text} is not a duration such as 30s or 1m`);
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? 0), 0);
}
