import type { Diagnostic } from '@seine/diagnostics';
import type { Algorithm } from '../counting/limit.js';
import { childKey, type RuleLimit, type RuleNode } from './rule-tree.js';

/** A domain's rules, as one file of envoyproxy/ratelimit has them. */
export interface DomainRules {
  readonly domain: string;
  readonly root: RuleNode;
}

export interface ParsedConfig {
  /** Undefined where there are errors: half of a config limits what nobody meant. */
  readonly rules: DomainRules | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const day = 86_400_000;
const unitMs: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day,
  week: 7 * day,
  month: 30 * day,
  year: 365 * day,
};

const algorithms: ReadonlySet<string> = new Set<Algorithm>(['FIXED_WINDOW', 'SLIDING_WINDOW', 'TOKEN_BUCKET']);

/** Finds what is wrong, each with its field path. */
class Findings {
  readonly diagnostics: Diagnostic[] = [];

  add(path: string, message: string): void {
    this.diagnostics.push({ severity: 'error', code: 'SEINE-RATE-LIMIT', path, message });
  }

  /** For what cannot be read at all: says so, and stands for it. */
  refuse(path: string, message: string): null {
    this.add(path, message);
    return null;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads the config of envoyproxy/ratelimit: `domain` and `descriptors[]` of `key`, `value`, `rate_limit` (`unit`,
 * `requests_per_unit`, `unlimited`, `name`, `replaces[]`), `shadow_mode`, nested `descriptors`. Beyond it: a
 * `rate_limit` may say `algorithm`, `exact` and `local_fallback`.
 * @param config what its YAML holds
 */
export function parseRateLimitConfig(config: unknown): ParsedConfig {
  const findings = new Findings();
  const root = parseDomain(config, findings);
  const isValid = findings.diagnostics.length === 0;
  return { rules: isValid && root ? root : undefined, diagnostics: findings.diagnostics };
}

function parseDomain(config: unknown, findings: Findings): DomainRules | null {
  if (!isFields(config)) return findings.refuse('', 'a rate limit config has a domain and descriptors');
  unknownFields(config, ['domain', 'descriptors'], '', findings);
  const { domain } = config;
  if (typeof domain !== 'string' || domain === '')
    return findings.refuse('domain', 'must be the name that proxies send as their domain');
  return { domain, root: parseNode(config, domain, '', null, findings) };
}

function parseNode(fields: Fields, name: string, at: string, limit: RuleLimit | null, findings: Findings): RuleNode {
  const children = new Map<string, RuleNode>();
  const prefixes: { readonly prefix: string; readonly node: RuleNode }[] = [];
  for (const [i, one] of listOf(fields['descriptors'], `${at}descriptors`, findings).entries()) {
    const path = `${at}descriptors[${i}]`;
    const parsed = parseDescriptor(one, name, path, findings);
    if (!parsed) continue;
    const { key, value, node } = parsed;
    const id = childKey(key, value);
    const isPrefix = value !== undefined && value.endsWith('*');
    if (children.has(id) || prefixes.some(({ prefix }) => isPrefix && prefix === id.slice(0, -1)))
      findings.add(path, `${key}${value === undefined ? '' : `=${value}`} is there already: each key and value once`);
    else if (isPrefix) prefixes.push({ prefix: id.slice(0, -1), node });
    else children.set(id, node);
  }
  return { limit: limit ?? undefined, children, prefixes: prefixes.sort((a, b) => b.prefix.length - a.prefix.length) };
}

function parseDescriptor(one: unknown, parent: string, path: string, findings: Findings) {
  if (!isFields(one)) return findings.refuse(path, 'must have a key');
  unknownFields(
    one,
    ['key', 'value', 'rate_limit', 'descriptors', 'shadow_mode', 'detailed_metric'],
    `${path}.`,
    findings,
  );
  const { key, value } = one;
  if (typeof key !== 'string' || key === '')
    return findings.refuse(`${path}.key`, 'must be the key of a descriptor entry');
  if (value !== undefined && typeof value !== 'string')
    return findings.refuse(`${path}.value`, 'must be text: put it in quotes');
  const name = `${parent}.${key}${value === undefined || value === '' ? '' : `_${value}`}`;
  const limit = parseLimit(one, name, path, findings);
  return { key, value: value === '' ? undefined : value, node: parseNode(one, name, `${path}.`, limit, findings) };
}

function parseLimit(descriptor: Fields, path: string, at: string, findings: Findings): RuleLimit | null {
  const stated = descriptor['rate_limit'];
  const shadow = flag(descriptor, 'shadow_mode', `${at}.`, findings);
  if (stated === undefined || stated === null) return null;
  if (!isFields(stated))
    return findings.refuse(`${at}.rate_limit`, 'must have unit and requests_per_unit, or unlimited');
  const inside = `${at}.rate_limit.`;
  const known = ['unit', 'requests_per_unit', 'unlimited', 'name', 'replaces', 'algorithm', 'exact', 'local_fallback'];
  unknownFields(stated, known, inside, findings);
  const name = typeof stated['name'] === 'string' ? stated['name'] : '';
  const replaces = listOf(stated['replaces'], `${inside}replaces`, findings).flatMap((one, i) => {
    const replaced = isFields(one) ? one['name'] : undefined;
    if (typeof replaced === 'string' && replaced !== '' && replaced !== name) return [replaced];
    findings.add(`${inside}replaces[${i}].name`, 'must be the name of another limit');
    return [];
  });
  const limit = parseRate(stated, inside, findings);
  const exact = flag(stated, 'exact', inside, findings);
  const localFallback = flag(stated, 'local_fallback', inside, findings);
  return limit && { limit, name, replaces, shadow, exact, localFallback, path };
}

function parseRate(stated: Fields, inside: string, findings: Findings): RuleLimit['limit'] | null {
  const { unit, requests_per_unit: requests, algorithm = 'FIXED_WINDOW' } = stated;
  if (flag(stated, 'unlimited', inside, findings)) {
    if (unit === undefined) return 'unlimited';
    return findings.refuse(`${inside}unit`, 'has no meaning for what is unlimited: leave it out');
  }
  const windowMs = typeof unit === 'string' ? unitMs[unit.toLowerCase()] : undefined;
  if (windowMs === undefined)
    return findings.refuse(`${inside}unit`, `must be one of ${Object.keys(unitMs).join(', ')}`);
  if (typeof requests !== 'number' || !Number.isInteger(requests) || requests < 0 || requests > 4_294_967_295)
    return findings.refuse(`${inside}requests_per_unit`, 'must be a whole number, 0 to 4294967295');
  if (typeof algorithm !== 'string' || !algorithms.has(algorithm))
    return findings.refuse(`${inside}algorithm`, `must be one of ${[...algorithms].join(', ')}`);
  return { requests, windowMs, algorithm: algorithm as Algorithm };
}

function listOf(value: unknown, path: string, findings: Findings): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  findings.add(path, 'must be a list');
  return [];
}

function flag(fields: Fields, name: string, at: string, findings: Findings): boolean {
  const value = fields[name];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  findings.add(`${at}${name}`, 'must be true or false');
  return false;
}

/** A word that is misspelt would change what is limited without a sign. */
function unknownFields(fields: Fields, known: readonly string[], at: string, findings: Findings): void {
  for (const name of Object.keys(fields))
    if (!known.includes(name)) findings.add(`${at}${name}`, `is not known; known are ${known.join(', ')}`);
}
