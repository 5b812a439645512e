import { type ConfigObject, type Fields, fieldsOf, itemsOf, textOf } from '@seine/k8s';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

/** The same text for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** What people call a rule or a match: its name, else its number. */
function nameOf(fields: Fields | undefined, index: number): string {
  const name = textOf(fields?.['name']);
  return name ? JSON.stringify(name) : `#${index}`;
}

function matchText(match: Fields): string {
  return canonical({ ...match, name: undefined });
}

/** A match by the start of the path, which may take what one after it is for. */
interface PrefixMatch {
  readonly prefix: string;
  readonly written: Fields;
  readonly rule: string;
  readonly match: string;
  readonly path: string;
}

function prefixMatch(rules: readonly Fields[], i: number, match: Fields, j: number): PrefixMatch | undefined {
  const prefix = textOf(fieldsOf(match['uri'])['prefix']);
  if (prefix === '') return undefined;
  return {
    prefix,
    written: match,
    rule: nameOf(rules[i], i),
    match: nameOf(match, j),
    path: `spec.http[${i}].match[${j}]`,
  };
}

const maps: ReadonlySet<string> = new Set(['headers', 'withoutHeaders', 'queryParams']);

/** Whether a match asks nothing, beside its path and name, that another does not ask too. */
function asksNoMore(wider: Fields, narrower: Fields): boolean {
  return Object.entries(wider).every(([field, value]) => {
    if (field === 'name' || field === 'uri') return true;
    const other = narrower[field];
    if (!maps.has(field)) return canonical(value) === canonical(other);
    return Object.entries(fieldsOf(value)).every(([key, one]) => canonical(one) === canonical(fieldsOf(other)[key]));
  });
}

function checkPrefixes(object: ConfigObject, matches: readonly PrefixMatch[], report: Report): void {
  matches.forEach((later, i) => {
    for (const earlier of matches.slice(0, i)) {
      if (earlier.prefix === later.prefix || !later.prefix.startsWith(earlier.prefix)) continue;
      if (!asksNoMore(earlier.written, later.written)) continue;
      const matchno = `${later.match} of prefix ${later.prefix}`;
      const dupno = `${earlier.match} of prefix ${earlier.prefix} on ${earlier.rule}`;
      report('VirtualServiceIneffectiveMatch', object, { ruleno: later.rule, matchno, dupno }, later.path);
    }
  });
}

/** Rules are tried in order: one that matches all hides those after it, and a match that was there before is never asked. */
function checkRules(object: ConfigObject, part: 'http' | 'tcp' | 'tls', report: Report): void {
  const rules = itemsOf(fieldsOf(object.spec)[part]);
  const seen = new Map<string, number>();
  const prefixes: PrefixMatch[] = [];
  let open = false;
  rules.forEach((rule, i) => {
    const path = `spec.${part}[${i}]`;
    const ruleno = nameOf(rule, i);
    const matches = itemsOf(rule['match']);
    if (open) {
      const reason =
        matches.length === 0 ? 'only the last rule can have no matches' : 'route without matches defined before';
      report('VirtualServiceUnreachableRule', object, { ruleno, reason }, path);
      return;
    }
    if (matches.length === 0) {
      open = true;
      return;
    }
    let duplicates = 0;
    matches.forEach((match, j) => {
      const text = matchText(match);
      const before = seen.get(text);
      if (before === undefined) {
        seen.set(text, i);
        const prefix = part === 'http' ? prefixMatch(rules, i, match, j) : undefined;
        if (prefix) prefixes.push(prefix);
        return;
      }
      duplicates++;
      const about = { ruleno, matchno: nameOf(match, j), dupno: nameOf(rules[before], before) };
      report('VirtualServiceIneffectiveMatch', object, about, `${path}.match[${j}]`);
    });
    if (duplicates === matches.length)
      report('VirtualServiceUnreachableRule', object, { ruleno, reason: 'all matches used by prior rules' }, path);
  });
  checkPrefixes(object, prefixes, report);
}

export const schemaVirtualService: Analyzer = {
  name: 'schema.ValidationAnalyzer.VirtualService',
  description: 'Rules and matches of VirtualServices that can never be reached.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.virtualService))
      for (const part of ['http', 'tcp', 'tls'] as const) checkRules(object, part, report);
  },
};
