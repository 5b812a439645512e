const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const duration = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/;

/** Milliseconds of a duration as Go writes it: `1h30m`, `1.5s`, `0`. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const [, sign, parts] = duration.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let total = 0;
  for (const [, amount, unit = ''] of parts.matchAll(/([\d.]+)([a-zµ]+)/g))
    total += Number(amount) * (unitMs[unit] ?? 0);
  return sign === '-' ? -total : total;
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of a time as RFC 3339 has it. */
export function parseTimestamp(text: string): number | undefined {
  const time = rfc3339.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
