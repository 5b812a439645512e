import type { DestinationRule } from '@seine/istio';
import { memo } from '@seine/memo';
import { fullyQualify, hostMatches, labelsMatch, type MeshConfig, type MeshService } from '@seine/model';
import { consolidate } from './destination-rules-merge.js';

/** Whose rules are asked for. Labels are read only where a rule has a workloadSelector (see `selectorKeys`). */
export interface RuleClient {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The rules of one namespace by host; hosts are fully qualified. */
interface HostTable {
  readonly exact: ReadonlyMap<string, readonly DestinationRule[]>;
  /** Longest pattern first, so that the first match is the most specific. */
  readonly wildcard: readonly (readonly [pattern: string, rules: readonly DestinationRule[]])[];
}

/** All DestinationRules of a mesh, ready to be looked up. */
export interface DestinationRuleIndex {
  /** What clients of a namespace find in it: every rule that its own namespace may see. */
  readonly local: ReadonlyMap<string, HostTable>;
  /** What others find in a namespace: the rules that are not private to it. */
  readonly exported: ReadonlyMap<string, HostTable>;
  /** The private rules of a namespace, which the root namespace's own clients look up first. */
  readonly confined: ReadonlyMap<string, HostTable>;
  /** Labels that some workloadSelector tests: the only ones of a client that matter here. */
  readonly selectorKeys: ReadonlySet<string>;
}

/**
 * Indexes rules by namespace and host, and merges those for the same host. Memoized on the list's identity.
 * @param rules oldest first, as the mesh holds them
 * @param clusterDomain completes short host names
 */
export const indexDestinationRules = memo(
  'indexDestinationRules',
  (rules: readonly DestinationRule[], clusterDomain: string): DestinationRuleIndex => {
    const isPrivate = (rule: DestinationRule): boolean => {
      const to = rule.spec.exportTo ?? [];
      return to.length === 1 && (to[0] === '.' || to[0] === rule.metadata.namespace);
    };
    const tables = (select: (rule: DestinationRule) => boolean) => tablesOf(rules.filter(select), clusterDomain);
    return {
      local: tables((rule) => sees(rule, rule.metadata.namespace)),
      exported: tables((rule) => !isPrivate(rule)),
      confined: tables(isPrivate),
      selectorKeys: new Set(rules.flatMap((rule) => Object.keys(rule.spec.workloadSelector?.matchLabels ?? {}))),
    };
  },
);

/** Whether clients of the namespace may use the rule (exportTo; absent = all). */
function sees(rule: DestinationRule, namespace: string): boolean {
  const to = rule.spec.exportTo ?? [];
  return (
    to.length === 0 ||
    to.some(
      (target) => target === '*' || target === namespace || (target === '.' && rule.metadata.namespace === namespace),
    )
  );
}

function tablesOf(rules: readonly DestinationRule[], clusterDomain: string): ReadonlyMap<string, HostTable> {
  const namespaces = new Map<string, Map<string, DestinationRule[]>>();
  for (const rule of rules) {
    const { namespace } = rule.metadata;
    const hosts = namespaces.get(namespace) ?? new Map<string, DestinationRule[]>();
    namespaces.set(namespace, hosts);
    const host = fullyQualify(rule.spec.host, namespace, clusterDomain);
    const list = hosts.get(host);
    if (list) list.push(rule);
    else hosts.set(host, [rule]);
  }
  return new Map([...namespaces].map(([namespace, hosts]) => [namespace, tableOf(hosts)]));
}

function tableOf(hosts: ReadonlyMap<string, readonly DestinationRule[]>): HostTable {
  const entries = [...hosts].map(([host, rules]) => [host, consolidate(rules)] as const);
  return {
    exact: new Map(entries),
    wildcard: entries
      .filter(([host]) => host.startsWith('*'))
      .sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1)),
  };
}

/** The rules of the most specific host that covers the name; a wildcard service is matched by its own name first. */
function mostSpecific(table: HostTable | undefined, host: string): readonly DestinationRule[] | undefined {
  return table?.exact.get(host) ?? table?.wildcard.find(([pattern]) => hostMatches(pattern, host))?.[1];
}

/**
 * The DestinationRule in force when a client calls a host. Namespaces are asked in Istio's order: the client's own, the
 * service's, the root namespace; the first that has a rule for the host decides. Rules with a workloadSelector count only
 * for matching clients of their own namespace, and then come before those without.
 * @param host fully qualified
 * @param rules the mesh's list (indexed here, once a list), or its index
 */
export function selectDestinationRule(
  host: string,
  rules: readonly DestinationRule[] | DestinationRuleIndex,
  client: RuleClient,
  service: MeshService | undefined,
  mesh: Pick<MeshConfig, 'rootNamespace' | 'clusterDomain'>,
): DestinationRule | undefined {
  const index = isList(rules) ? indexDestinationRules(rules, mesh.clusterDomain) : rules;
  const own = client.namespace === mesh.rootNamespace ? index.confined : index.local;
  const exported = (namespace: string) => {
    const found = mostSpecific(index.exported.get(namespace), host)?.filter((rule) => sees(rule, client.namespace));
    return found?.length ? found : undefined;
  };
  const found =
    mostSpecific(own.get(client.namespace), host) ??
    (service && exported(service.namespace)) ??
    exported(mesh.rootNamespace);
  return found && forWorkload(found, client);
}

function isList(rules: readonly DestinationRule[] | DestinationRuleIndex): rules is readonly DestinationRule[] {
  return Array.isArray(rules);
}

function forWorkload(rules: readonly DestinationRule[], client: RuleClient): DestinationRule | undefined {
  const selecting = rules.find(
    (rule) =>
      rule.spec.workloadSelector !== undefined &&
      rule.metadata.namespace === client.namespace &&
      labelsMatch(rule.spec.workloadSelector.matchLabels, client.labels),
  );
  return selecting ?? rules.findLast((rule) => rule.spec.workloadSelector === undefined);
}
