import { isExportedTo, mergeDelegates } from '@seine/compile';
import type { VirtualService } from '@seine/istio';
import { internList, memo } from '@seine/memo';
import { derivedAnnotations, fullyQualify, hostMatches } from '@seine/model';

const internDelegates = internList();
const internVisible = internList();
const merged = memo(
  'mergedDelegates',
  (root: VirtualService, delegates: readonly VirtualService[], clusterDomain: string): VirtualService =>
    mergeDelegates(root, delegates, clusterDomain),
);

/** Delegates written into their roots; the list itself where there are none. */
const withDelegates = memo(
  'delegates',
  (all: readonly VirtualService[], clusterDomain: string): readonly VirtualService[] => {
    const isDelegate = (vs: VirtualService): boolean => (vs.spec.hosts ?? []).length === 0;
    const delegates = new Map(all.filter(isDelegate).map((vs) => [`${vs.metadata.namespace}/${vs.metadata.name}`, vs]));
    const delegatesAny = (vs: VirtualService): boolean => vs.spec.http?.some((route) => route.delegate) ?? false;
    if (delegates.size === 0 && !all.some(delegatesAny)) return all;
    return all
      .filter((vs) => !isDelegate(vs))
      .map((vs) => (delegatesAny(vs) ? merged(vs, internDelegates(delegatesOf(vs, delegates)), clusterDomain) : vs));
  },
);

function delegatesOf(root: VirtualService, all: ReadonlyMap<string, VirtualService>): readonly VirtualService[] {
  return (root.spec.http ?? []).flatMap((route) => {
    if (!route.delegate) return [];
    const found = all.get(`${route.delegate.namespace ?? root.metadata.namespace}/${route.delegate.name ?? ''}`);
    return found ? [found] : [];
  });
}

/**
 * Whether it says only how its own namespace calls a service (a route of the Gateway API for a Service of another
 * namespace): then it goes before what the service's namespace says.
 */
function isConsumerRoute({ metadata, spec }: VirtualService): boolean {
  const derived = metadata.annotations?.[derivedAnnotations.routeSemantics] === 'gateway';
  return derived && spec.exportTo?.length === 1 && spec.exportTo[0] === '.';
}

/** The VirtualServices that a namespace may see, delegates merged, oldest first. The same list for namespaces that see the same. */
export const visibleVirtualServices = memo(
  'visibleVirtualServices',
  (all: readonly VirtualService[], namespace: string, clusterDomain: string): readonly VirtualService[] => {
    const resolved = withDelegates(all, clusterDomain);
    const seen = resolved.filter((vs) => isExportedTo(vs, namespace));
    const own = seen.filter(isConsumerRoute);
    if (own.length > 0) return internVisible([...own, ...seen.filter((vs) => !isConsumerRoute(vs))]);
    return seen.length === resolved.length ? resolved : internVisible(seen);
  },
);

/** Which VirtualService holds a host for sidecars. */
export interface VirtualServiceIndex {
  /** By exact host; the oldest wins (IST0109 tells the others). */
  readonly exact: ReadonlyMap<string, VirtualService>;
  /** `*.example.com`, longest first. */
  readonly wildcards: readonly (readonly [host: string, virtualService: VirtualService])[];
}

function isForSidecars(vs: VirtualService): boolean {
  const gateways = vs.spec.gateways ?? [];
  return gateways.length === 0 || gateways.includes('mesh');
}

export const indexVirtualServices = memo(
  'virtualServiceIndex',
  (all: readonly VirtualService[], clusterDomain: string): VirtualServiceIndex => {
    const exact = new Map<string, VirtualService>();
    const wildcards = new Map<string, VirtualService>();
    for (const vs of all) {
      if (!isForSidecars(vs) || !vs.spec.http?.length) continue;
      for (const written of vs.spec.hosts ?? []) {
        const host = fullyQualify(written, vs.metadata.namespace, clusterDomain);
        const into = host.startsWith('*') ? wildcards : exact;
        if (!into.has(host)) into.set(host, vs);
      }
    }
    return { exact, wildcards: [...wildcards].sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1)) };
  },
);

/** The VirtualService for a service's host: the exact one, else the one of the longest wildcard. */
export function virtualServiceFor(index: VirtualServiceIndex, host: string): VirtualService | undefined {
  return index.exact.get(host) ?? index.wildcards.find(([pattern]) => hostMatches(pattern, host))?.[1];
}
