import { RE2JS } from '@bufbuild/re2';
import { IpSet } from './ip-set.js';

export const entryTypes = ['STRINGS', 'CASE_INSENSITIVE_STRINGS', 'IP_ADDRESSES', 'REGEX'] as const;
export type EntryType = (typeof entryTypes)[number];

/** Whether a value is in a list; undefined where it could be in no list of the kind. */
export type Entries = (value: string) => boolean | undefined;

/** Longer texts are no entries: what a request brings must not keep mixer busy. */
const longestMatched = 8192;

/** @throws Error that names the first entry which is none */
export function readEntries(type: EntryType, entries: readonly string[]): Entries {
  switch (type) {
    case 'STRINGS': {
      const known = new Set(entries);
      return (value) => known.has(value);
    }
    case 'CASE_INSENSITIVE_STRINGS': {
      const known = new Set(entries.map((entry) => entry.toUpperCase()));
      return (value) => known.has(value.toUpperCase());
    }
    case 'IP_ADDRESSES':
      return addresses(entries);
    case 'REGEX':
      return patterns(entries);
  }
}

function addresses(entries: readonly string[]): Entries {
  const known = new IpSet();
  for (const entry of entries)
    if (!known.add(entry))
      throw new Error(`${JSON.stringify(entry)} is neither an IP address nor a block, as 10.57.0.0/16`);
  return (value) => known.has(value);
}

/** RE2 takes time in step with the text's length, whatever the pattern. */
function patterns(entries: readonly string[]): Entries {
  const compiled = entries.map((entry) => {
    try {
      return RE2JS.compile(entry);
    } catch (error) {
      // The parser reports syntax errors by exceptions.
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${JSON.stringify(entry)} is no regular expression of RE2: ${reason}`, { cause: error });
    }
  });
  return (value) => value.length <= longestMatched && compiled.some((pattern) => pattern.test(value));
}

/** The entries of a list as a provider sends it: one a line. */
export function splitEntries(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
