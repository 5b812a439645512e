import type { Limit } from '../counting/limit.js';

/** One `key=value` of a descriptor; order matters. */
export interface DescriptorEntry {
  readonly key: string;
  readonly value: string;
}

/** What Envoy sends for one action list of a route. */
export interface Descriptor {
  readonly entries: readonly DescriptorEntry[];
}

/** A limit as a rule states it. */
export interface RuleLimit {
  readonly limit: Limit | 'unlimited';
  /** How others name it in `replaces`; empty = nobody can. */
  readonly name: string;
  /** Names of limits that do not count where this one is hit by the same request. */
  readonly replaces: readonly string[];
  /** Counted and reported, but never in the way. */
  readonly shadow: boolean;
  readonly exact: boolean;
  /** While the shared counts are away, each replica counts by itself, at its part of the limit. */
  readonly localFallback: boolean;
  /** `domain.key_value.key`, for metrics. */
  readonly path: string;
}

/** A step of the tree: entries by `key_value`, then by `key` alone. */
export interface RuleNode {
  readonly limit: RuleLimit | undefined;
  readonly children: ReadonlyMap<string, RuleNode>;
  /** Values that end in `*`, the longest first. */
  readonly prefixes: readonly { readonly prefix: string; readonly node: RuleNode }[];
}

/** The rules of each domain. */
export type RuleTree = ReadonlyMap<string, RuleNode>;

/** The key of a child; no value stands for any. Keys and values may hold any character, so the key's length tells them apart. */
export function childKey(key: string, value?: string): string {
  return value === undefined ? `${key.length}:${key}` : `${key.length}:${key}=${value}`;
}

/**
 * The limit that a descriptor hits: its entries lead down the tree, an exact value before a prefix before the key alone,
 * and only the last of them may carry the limit (envoyproxy/ratelimit, "Descriptor list definition").
 */
export function findLimit(rules: RuleTree, domain: string, { entries }: Descriptor): RuleLimit | undefined {
  let node = rules.get(domain);
  for (const entry of entries) {
    node = node && childOf(node, entry);
    if (!node) return undefined;
  }
  return entries.length === 0 ? undefined : node?.limit;
}

function childOf({ children, prefixes }: RuleNode, { key, value }: DescriptorEntry): RuleNode | undefined {
  const exact = children.get(childKey(key, value));
  if (exact) return exact;
  const written = childKey(key, value);
  return prefixes.find(({ prefix }) => written.startsWith(prefix))?.node ?? children.get(childKey(key));
}
