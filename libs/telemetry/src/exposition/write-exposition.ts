import type { MetricFamilies } from './families.js';

/** The content type of what `writeExposition` gives. */
export const expositionContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Families as Prometheus reads them: text format 0.0.4. */
export function writeExposition(families: MetricFamilies): string {
  const lines: string[] = [];
  for (const { name, type, help, series } of families.values()) {
    if (series.size === 0) continue;
    if (help !== undefined) lines.push(`# HELP ${name} ${help}`);
    lines.push(`# TYPE ${name} ${type}`);
    for (const [key, value] of series) lines.push(`${key} ${writeValue(value)}`);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function writeValue(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
