import type { DestinationRule, Subset, TrafficPolicy } from '@seine/istio';
import type { MeshConfig } from '@seine/model';

/**
 * The traffic policy in force for one port of a destination (Istio docs, "DestinationRule": subset port level, then
 * subset, then rule port level, then rule). Blocks replace each other as wholes; a port level that matches replaces the
 * four blocks it can hold even where it leaves them out. Under all of that lies the mesh's `defaultTrafficPolicy`, of which
 * a block counts where the outcome has none.
 * @param subset the subset's name; empty or unknown = the destination itself
 * @param port the service port
 */
export function effectiveTrafficPolicy(
  rule: DestinationRule | undefined,
  subset: string | undefined,
  port: number,
  mesh: Pick<MeshConfig, 'defaultTrafficPolicy'> = {},
): TrafficPolicy {
  const ofRule = overlay({}, rule?.spec.trafficPolicy, port);
  const policy = subset ? overlay(ofRule, findSubset(rule, subset)?.trafficPolicy, port) : ofRule;
  const base = mesh.defaultTrafficPolicy;
  if (!base) return policy;
  return {
    ...policy,
    connectionPool: policy.connectionPool ?? base.connectionPool,
    outlierDetection: policy.outlierDetection ?? base.outlierDetection,
  };
}

function overlay(base: TrafficPolicy, top: TrafficPolicy | undefined, port: number): TrafficPolicy {
  if (!top) return base;
  const merged = {
    connectionPool: top.connectionPool ?? base.connectionPool,
    outlierDetection: top.outlierDetection ?? base.outlierDetection,
    loadBalancer: top.loadBalancer ?? base.loadBalancer,
    tls: top.tls ?? base.tls,
    tunnel: top.tunnel ?? base.tunnel,
    proxyProtocol: top.proxyProtocol ?? base.proxyProtocol,
    retryBudget: top.retryBudget ?? base.retryBudget,
  };
  const level = top.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (!level) return merged;
  return {
    ...merged,
    connectionPool: level.connectionPool,
    outlierDetection: level.outlierDetection,
    loadBalancer: level.loadBalancer,
    tls: level.tls,
  };
}

/** The subsets of a rule: the first of those that share a name, as merging keeps it. */
export function subsetsOf(rule: DestinationRule | undefined): readonly Subset[] {
  const byName = new Map<string, Subset>();
  for (const subset of rule?.spec.subsets ?? []) if (!byName.has(subset.name)) byName.set(subset.name, subset);
  return [...byName.values()];
}

/** The subset of that name, if the rule has it. */
export function findSubset(rule: DestinationRule | undefined, name: string): Subset | undefined {
  return rule?.spec.subsets?.find((subset) => subset.name === name);
}
