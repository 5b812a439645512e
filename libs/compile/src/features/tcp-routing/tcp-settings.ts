import type { DestinationRule, TrafficPolicy } from '@seine/istio';
import { internByKey, memo } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import type { DestinationFacts } from '../../inputs.js';
import { effectiveTrafficPolicy } from '../subsets/traffic-policy.js';

/** What of a destination's traffic policy TCP listeners need, as Envoy has it in tcp_proxy and not in clusters. */
export interface TcpSettings {
  /** A duration; `0s` = never. */
  readonly idleTimeout?: string | undefined;
  readonly maxConnectionDuration?: string | undefined;
  /** Connections from one address go to one endpoint. */
  readonly useSourceIp?: boolean | undefined;
  readonly tunnel?: TrafficPolicy['tunnel'];
}

/** The settings for connections to a destination; `subset` empty or undefined = the service itself. */
export function tcpSettings(
  facts: Pick<DestinationFacts, 'rule'> | undefined,
  subset: string | undefined,
  port: number,
  config: MeshConfig,
): TcpSettings {
  const { connectionPool, loadBalancer, tunnel } = effectiveTrafficPolicy(facts?.rule, subset, port, config);
  return {
    idleTimeout: connectionPool?.tcp?.idleTimeout,
    maxConnectionDuration: connectionPool?.tcp?.maxConnectionDuration,
    useSourceIp: loadBalancer?.consistentHash?.useSourceIp,
    tunnel,
  };
}

type Policy = Pick<TrafficPolicy, 'connectionPool' | 'loadBalancer' | 'outlierDetection' | 'tunnel'>;

/** A policy cut down to what `tcpSettings` reads. Blocks that replace others stay, though empty. */
function reduced({ connectionPool, loadBalancer, tunnel }: Policy): Policy {
  const { idleTimeout, maxConnectionDuration } = connectionPool?.tcp ?? {};
  const useSourceIp = loadBalancer?.consistentHash?.useSourceIp;
  return {
    ...(connectionPool && { connectionPool: { tcp: { idleTimeout, maxConnectionDuration } } }),
    ...(loadBalancer && { loadBalancer: useSourceIp ? { consistentHash: { useSourceIp } } : {} }),
    ...(tunnel && { tunnel }),
  };
}

function reducedPolicy(policy: TrafficPolicy | undefined): TrafficPolicy | undefined {
  if (!policy) return undefined;
  const portLevelSettings = policy.portLevelSettings?.map(({ port, ...level }) => ({ port, ...reduced(level) }));
  return { ...reduced(policy), ...(portLevelSettings && { portLevelSettings }) };
}

function says(policy: TrafficPolicy | undefined): boolean {
  return [policy, ...(policy?.portLevelSettings ?? [])].some((level: Policy | undefined) => {
    const tcp = level?.connectionPool?.tcp;
    return (
      (tcp?.idleTimeout ?? tcp?.maxConnectionDuration ?? level?.tunnel) !== undefined ||
      level?.loadBalancer?.consistentHash?.useSourceIp === true
    );
  });
}

const internRule = internByKey<DestinationRule>(4096);

/**
 * A rule cut down to what listeners read of it; undefined where they read nothing. Rules that say the same of that are one
 * object, so that any other change of a rule leaves the listeners alone.
 */
export const tcpRuleOf = memo('tcpRule', (rule: DestinationRule): DestinationRule | undefined => {
  const { trafficPolicy, subsets = [], host } = rule.spec;
  if (!says(trafficPolicy) && !subsets.some((subset) => says(subset.trafficPolicy))) return undefined;
  const spec = {
    host,
    trafficPolicy: reducedPolicy(trafficPolicy),
    subsets: subsets.map(({ name, trafficPolicy: own }) => ({ name, trafficPolicy: reducedPolicy(own) })),
  };
  const { name, namespace } = rule.metadata;
  const metadata = { name, namespace };
  return internRule(JSON.stringify([namespace, name, spec]), () =>
    Object.freeze({ apiVersion: rule.apiVersion, kind: rule.kind, metadata, spec }),
  );
});
