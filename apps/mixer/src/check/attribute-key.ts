import type { AttributeBag, Value } from '@seine/mixer';

/** What equal requests have in common; undefined where there are no equal ones, or it would be too long to remember. */
export type KeyOf = (bag: AttributeBag) => string | undefined;

/** No two requests have the same. */
const unique = new Set(['request.time', 'request.id', 'context.time', 'context.timestamp', 'connection.id']);
const maxLength = 1024;
const never: KeyOf = () => undefined;

/**
 * @param reads attributes as `Expression.reads` names them: `source.ip`, `request.headers["cookie"]`
 * @returns what makes a key of their values; equal keys only for equal values
 */
export function keyOfReads(reads: readonly string[]): KeyOf {
  if (reads.some((name) => unique.has(name))) return never;
  const parts = reads.map(readerOf);
  return (bag) => {
    let key = '';
    for (const read of parts) {
      const value = textOf(read(bag));
      key += `${value.length}:${value}`;
      if (key.length > maxLength) return undefined;
    }
    return key;
  };
}

type Read = (bag: AttributeBag) => Value | undefined;

function readerOf(name: string): Read {
  const [, map, entry] = /^([^[]+)\[(".*")\]$/.exec(name) ?? [];
  if (map === undefined || entry === undefined) return (bag) => bag.get(name);
  const key = JSON.parse(entry) as string;
  return (bag) => {
    const value = bag.get(map);
    return typeof value === 'object' ? value.get(key) : undefined;
  };
}

/** Values of one attribute are of one type, so only what is absent must differ from all of them. */
function textOf(value: Value | undefined): string {
  if (value === undefined) return '';
  return `=${typeof value === 'object' ? JSON.stringify([...value].sort()) : value}`;
}
