const units = [
  ['h', 3_600_000_000_000],
  ['m', 60_000_000_000],
] as const;

/** A fraction without the zeros at its end. */
function decimal(nanoseconds: number, unit: number): string {
  return String(Number((nanoseconds / unit).toFixed(9)));
}

/**
 * A duration as Go's `time.Duration` prints it, and so Mixer's logs had it: `13.601485ms`, `1.5s`, `1m2s`, `0s`.
 * @param milliseconds nanoseconds at the finest
 */
export function goDuration(milliseconds: number): string {
  const total = Math.round(milliseconds * 1e6);
  if (total === 0 || !Number.isFinite(total)) return '0s';
  const sign = total < 0 ? '-' : '';
  let rest = Math.abs(total);
  if (rest < 1e3) return `${sign}${rest}ns`;
  if (rest < 1e6) return `${sign}${decimal(rest, 1e3)}µs`;
  if (rest < 1e9) return `${sign}${decimal(rest, 1e6)}ms`;
  let text = sign;
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0 || text !== sign) text += `${count}${unit}`;
    rest -= count * size;
  }
  return `${text}${decimal(rest, 1e9)}s`;
}
