const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of a time as RFC 3339 has it. */
export function parseTimestamp(text: string): number | undefined {
  const time = rfc3339.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
