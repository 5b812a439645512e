import type { Sidecar } from '@seine/istio';
import { memo } from '@seine/memo';
import { labelsMatch } from '@seine/model';

/** The Sidecars of one namespace; oldest first. */
interface NamespaceSidecars {
  /** Those with a workloadSelector. */
  readonly selecting: readonly Sidecar[];
  /** The one for all other workloads. */
  readonly whole: Sidecar | undefined;
}

/** All Sidecars of a mesh, ready to be looked up. */
export interface SidecarIndex {
  readonly byNamespace: ReadonlyMap<string, NamespaceSidecars>;
  /** Labels that some workloadSelector tests: the only ones of a client that matter here. Sorted. */
  readonly selectorKeys: readonly string[];
}

/**
 * Indexes Sidecars by namespace. Memoized on the list's identity.
 * @param sidecars oldest first, as the mesh holds them
 */
export const indexSidecars = memo('indexSidecars', (sidecars: readonly Sidecar[]): SidecarIndex => {
  const byNamespace = new Map<string, { selecting: Sidecar[]; whole: Sidecar | undefined }>();
  const keys = new Set<string>();
  for (const sidecar of sidecars) {
    const { namespace } = sidecar.metadata;
    const entry = byNamespace.get(namespace) ?? { selecting: [], whole: undefined };
    byNamespace.set(namespace, entry);
    if (!sidecar.spec.workloadSelector) entry.whole ??= sidecar;
    else {
      entry.selecting.push(sidecar);
      for (const key of Object.keys(sidecar.spec.workloadSelector.labels ?? {})) keys.add(key);
    }
  }
  return Object.freeze({ byNamespace, selectorKeys: Object.freeze([...keys].sort()) });
});

/** Whose Sidecar is asked for: a workload with a sidecar, or a gRPC library. Gateways take none. */
export interface SidecarClient {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The one Sidecar in force for a workload: the oldest of its namespace whose workloadSelector selects it, else the
 * namespace's oldest without workloadSelector, else the root namespace's oldest without. They are not merged.
 */
export function selectSidecar(
  { byNamespace }: SidecarIndex,
  client: SidecarClient,
  rootNamespace: string,
): Sidecar | undefined {
  const own = byNamespace.get(client.namespace);
  return (
    own?.selecting.find(({ spec }) => labelsMatch(spec.workloadSelector?.labels, client.labels)) ??
    own?.whole ??
    byNamespace.get(rootNamespace)?.whole
  );
}
