import type { MutualTLS, PeerAuthentication } from '@seine/istio';
import { labelsMatch } from '@seine/model';

/** How the clients of a port must come: in plain text, with mutual TLS, or either way. */
export type MtlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT';

/** A workload's modes: those of single ports, by the workload's own port, and that of all others. */
export interface InboundMtls {
  readonly mode: MtlsMode;
  readonly byPort: ReadonlyMap<number, MtlsMode>;
}

/** Where nobody says anything, both are taken (Istio, PeerAuthentication). */
const fallback: MtlsMode = 'PERMISSIVE';

interface Selectable {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

function modeOf(mtls: MutualTLS | undefined): MtlsMode | undefined {
  return mtls?.mode === undefined || mtls.mode === 'UNSET' ? undefined : mtls.mode;
}

function hasSelector({ spec }: PeerAuthentication): boolean {
  return Object.keys(spec.selector?.matchLabels ?? {}).length > 0;
}

/**
 * The policies in force for a workload: its own, its namespace's, the mesh's. Of several of one scope the oldest is
 * (Istio, PeerAuthentication); a selector in the root namespace selects there only.
 * @param policies all of the mesh, oldest first
 */
export function selectPeerAuthentication(
  policies: readonly PeerAuthentication[],
  { namespace, labels }: Selectable,
  rootNamespace: string,
): readonly PeerAuthentication[] {
  const own = policies.find(
    (policy) =>
      policy.metadata.namespace === namespace &&
      hasSelector(policy) &&
      labelsMatch(policy.spec.selector?.matchLabels, labels),
  );
  const wide = (of: string) => policies.find((policy) => policy.metadata.namespace === of && !hasSelector(policy));
  const chosen = [own, wide(namespace), namespace === rootNamespace ? undefined : wide(rootNamespace)];
  return chosen.filter((policy) => policy !== undefined);
}

/** Policies of the same scope as one that is in force for a workload, and therefore not in force. */
export function rivalsOf(
  inForce: PeerAuthentication,
  policies: readonly PeerAuthentication[],
  { labels }: Pick<Selectable, 'labels'>,
): readonly PeerAuthentication[] {
  return policies.filter(
    (policy) =>
      policy !== inForce &&
      policy.metadata.namespace === inForce.metadata.namespace &&
      hasSelector(policy) === hasSelector(inForce) &&
      (!hasSelector(policy) || labelsMatch(policy.spec.selector?.matchLabels, labels)),
  );
}

/**
 * The modes that policies come to, the closest one's word first: a port's, the workload's, the namespace's, the mesh's.
 * @param selected what `selectPeerAuthentication` gives
 */
export function resolvePeerAuthentication(selected: readonly PeerAuthentication[]): InboundMtls {
  const mode = selected.map(({ spec }) => modeOf(spec.mtls)).find((said) => said !== undefined) ?? fallback;
  const own = selected.find(hasSelector)?.spec.portLevelMtls ?? {};
  const byPort = Object.entries(own).map(([port, mtls]) => [Number(port), modeOf(mtls) ?? mode] as const);
  return { mode, byPort: new Map(byPort.sort(([a], [b]) => a - b)) };
}

export function mtlsModeOf({ mode, byPort }: InboundMtls, port: number): MtlsMode {
  return byPort.get(port) ?? mode;
}
