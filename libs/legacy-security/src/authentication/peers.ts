import type { AuthenticationPolicy, MutualTLS } from '@seine/istio';
import type { DerivedObjects } from '../derived.js';
import { modeOf, type MutualTlsMode } from './methods.js';
import type { ServicePolicies } from './targets.js';

/**
 * The mode that a policy sets where others stand behind it. One that asks nothing of callers says so only where another
 * old policy would: a PeerAuthentication for more than it is for stays in force.
 */
function settingOf(
  policy: AuthenticationPolicy | undefined,
  behind: readonly (AuthenticationPolicy | undefined)[],
): MutualTlsMode | undefined {
  if (!policy) return undefined;
  const overridden = behind.some((other) => other && modeOf(other) === 'STRICT');
  return modeOf(policy) ?? (overridden ? 'PERMISSIVE' : undefined);
}

/** The PeerAuthentication of a namespace, or of the mesh. */
export function addScopePeers(
  policy: AuthenticationPolicy | undefined,
  behind: readonly (AuthenticationPolicy | undefined)[],
  namespace: string,
  derived: DerivedObjects,
): void {
  const mode = settingOf(policy, behind);
  if (!policy || !mode) return;
  const { name } = policy.metadata;
  derived.add({ kind: 'PeerAuthentication', namespace, name, spec: { mtls: { mode } }, parents: [policy] });
}

/** The PeerAuthentication of a service: one for all policies that name it, since only one counts for a workload. */
export function addServicePeers(
  { service, whole, byPort }: ServicePolicies,
  behind: readonly (AuthenticationPolicy | undefined)[],
  derived: DerivedObjects,
): void {
  const mode = settingOf(whole, behind);
  const ports = [...byPort].flatMap(([port, policy]): (readonly [string, MutualTLS])[] => {
    const own = settingOf(policy, [whole, ...behind]);
    return own ? [[String(port), { mode: own }]] : [];
  });
  if (!mode && ports.length === 0) return;
  const parents = [...new Set([...(whole ? [whole] : []), ...byPort.values()])];
  derived.add({
    kind: 'PeerAuthentication',
    namespace: service.namespace,
    name: `${parents[0]?.metadata.name}-${service.name}`,
    spec: {
      selector: { matchLabels: service.selector ?? {} },
      ...(mode && { mtls: { mode } }),
      ...(ports.length > 0 && { portLevelMtls: Object.fromEntries(ports) }),
    },
    parents,
  });
}
