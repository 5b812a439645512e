import { mtlsModeOf, resolvePeerAuthentication, selectPeerAuthentication } from '@seine/compile';
import type { PeerAuthentication } from '@seine/istio';
import { type ConfigDump, sectionOf } from '../proxy-config/config-dump.js';

/** The labels that a proxy says its workload has. */
export function labelsOfProxy(dump: ConfigDump): Readonly<Record<string, string>> {
  interface Bootstrap {
    readonly node?: { readonly metadata?: { readonly LABELS?: Readonly<Record<string, string>> } };
  }
  return (sectionOf(dump, 'BootstrapConfigDump').bootstrap as Bootstrap | undefined)?.node?.metadata?.LABELS ?? {};
}

/**
 * The PeerAuthentication that decides the mode of a port, `name.namespace`; empty: none.
 * @param policies all of the mesh, oldest first
 */
export function policyBehind(
  policies: readonly PeerAuthentication[],
  workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  port: number,
  rootNamespace: string,
): string {
  const selected = selectPeerAuthentication(policies, workload, rootNamespace);
  const mode = mtlsModeOf(resolvePeerAuthentication(selected), port);
  const says = ({ spec }: PeerAuthentication): boolean =>
    [spec.portLevelMtls?.[String(port)]?.mode, spec.mtls?.mode].some((own) => own === mode);
  const found = selected.find(says);
  return found ? `${found.metadata.name}.${found.metadata.namespace}` : '';
}
