import { type MetricFamilies, type MetricFamily, type MetricType, newFamily } from './families.js';

/** Text that is no exposition; `line` counts from 1. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(`line ${line}: ${message}`);
  }
}

const types: ReadonlySet<string> = new Set<MetricType>(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const comment = /^#\s*(TYPE|HELP)\s+(\S+)\s*(.*)$/;
/** The parts of histograms and summaries that have names of their own. */
const part = /_(?:bucket|sum|count)$/;

export interface ReadOptions {
  /** Of this family's name only; default all. What is left out costs next to nothing. */
  readonly keep?: (name: string) => boolean;
}

/**
 * Reads the text format 0.0.4 (Prometheus docs, "Exposition formats"), timestamps left out.
 * @throws ExpositionError at a line that is neither a comment nor a series
 */
export function readExposition(text: string, { keep = () => true }: ReadOptions = {}): MetricFamilies {
  const families: MetricFamilies = new Map();
  let family: MetricFamily | undefined;
  let number = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
    number++;
    if (line.trim() === '') continue;
    if (line.startsWith('#')) {
      family = readComment(line, family, families, keep) ?? family;
      continue;
    }
    const cut = keyEnd(line);
    if (cut <= 0) throw new ExpositionError(`${shorten(line)} is no series: a name, labels and a value`, number);
    const name = seriesName(line, cut);
    if (family === undefined || !belongs(name, family)) family = familyFor(name, families);
    if (!keep(family.name)) continue;
    const value = readValue(line.slice(cut).trim().split(/\s+/)[0] ?? '');
    if (value === undefined) throw new ExpositionError(`${shorten(line)} has no value`, number);
    family.series.set(line.slice(0, cut).trimEnd(), value);
    families.set(family.name, family);
  }
  return families;
}

function readComment(
  line: string,
  current: MetricFamily | undefined,
  families: MetricFamilies,
  keep: (name: string) => boolean,
): MetricFamily | undefined {
  const [, word, name = '', rest = ''] = comment.exec(line) ?? [];
  if (word === undefined) return undefined;
  // Not among the families until it has a series: what is not kept leaves nothing behind.
  const family = current?.name === name ? current : (families.get(name) ?? newFamily(name));
  if (word === 'TYPE') family.type = types.has(rest) ? (rest as MetricType) : 'untyped';
  else if (keep(name)) family.help = rest;
  return family;
}

/** Where the value begins: behind the labels, in whose values spaces and braces may stand. */
function keyEnd(line: string): number {
  const brace = line.indexOf('{');
  const space = line.search(/[ \t]/);
  if (brace < 0 || (space >= 0 && space < brace)) return space;
  let quoted = false;
  for (let i = brace + 1; i < line.length; i++) {
    const character = line[i];
    if (quoted && character === '\\') i++;
    else if (character === '"') quoted = !quoted;
    else if (character === '}' && !quoted) return i + 1;
  }
  return -1;
}

function seriesName(line: string, cut: number): string {
  const brace = line.indexOf('{');
  return line.slice(0, brace >= 0 && brace < cut ? brace : cut).trim();
}

function belongs(name: string, { name: family, type }: MetricFamily): boolean {
  if (name === family) return true;
  return (type === 'histogram' || type === 'summary') && name.replace(part, '') === family;
}

function familyFor(name: string, families: MetricFamilies): MetricFamily {
  const whole = families.get(name.replace(part, ''));
  return whole && belongs(name, whole) ? whole : (families.get(name) ?? newFamily(name));
}

function readValue(text: string): number | undefined {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  if (text === 'NaN') return NaN;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
