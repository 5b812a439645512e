import type { Destination, HTTPMirrorPolicy, HTTPRoute, HTTPRouteDestination, VirtualService } from '@seine/istio';
import { fullyQualify } from '@seine/model';
import { isExportedTo } from '../routing/export-to.js';
import { mergeMatches } from './merge-matches.js';

/**
 * Puts the routes of delegates in the place of the root's routes that name them (one level, as in Istio). A delegate's route
 * keeps what it states and takes the rest from the root's; its conditions must be within the root's, else it is left out. A route
 * whose delegate is missing, or not exported to the root's namespace, is left out. Returns the root itself if nothing is delegated.
 * @param delegates holds at least those that the root names
 */
export function mergeDelegates(
  root: VirtualService,
  delegates: readonly VirtualService[],
  clusterDomain: string,
): VirtualService {
  const routes = root.spec.http ?? [];
  if (!routes.some((route) => route.delegate)) return root;
  const http = routes.flatMap((route) => {
    if (!route.delegate) return [route];
    const delegate = findDelegate(route.delegate, root.metadata.namespace, delegates);
    return (delegate?.spec.http ?? []).flatMap((inner) => {
      if (!delegate || inner.delegate) return [];
      const merged = mergeRoutes(route, qualifyRoute(inner, delegate.metadata.namespace, clusterDomain));
      return merged ? [merged] : [];
    });
  });
  return { ...root, spec: { ...root.spec, http } };
}

function findDelegate(
  { name, namespace }: NonNullable<HTTPRoute['delegate']>,
  rootNamespace: string,
  delegates: readonly VirtualService[],
): VirtualService | undefined {
  const found = delegates.find(
    ({ metadata }) => metadata.name === name && metadata.namespace === (namespace || rootNamespace),
  );
  return found && isExportedTo(found, rootNamespace) ? found : undefined;
}

function mergeRoutes(root: HTTPRoute, inner: HTTPRoute): HTTPRoute | undefined {
  const match = mergeMatches(root.match ?? [], inner.match ?? []);
  if (!match) return undefined;
  return {
    ...root,
    delegate: undefined,
    ...definedFields(inner),
    match: match.length > 0 ? match : undefined,
    name: [root.name, inner.name].filter(Boolean).join('-') || undefined,
  };
}

/** A field that is there but undefined must not hide the root's. */
function definedFields<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}

/** Short hosts of a delegate belong to its own namespace, and would be read in the root's once they stand there. */
function qualifyRoute(route: HTTPRoute, namespace: string, clusterDomain: string): HTTPRoute {
  const qualify = (destination: Destination): Destination => ({
    ...destination,
    host: fullyQualify(destination.host, namespace, clusterDomain),
  });
  const withDestination = <T extends HTTPRouteDestination | HTTPMirrorPolicy>(part: T): T => ({
    ...part,
    destination: qualify(part.destination),
  });
  return {
    ...route,
    route: route.route?.map(withDestination),
    mirror: route.mirror && qualify(route.mirror),
    mirrors: route.mirrors?.map(withDestination),
  };
}
