import type { HTTPRoute, VirtualServiceSpec } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import type { Context } from './context.js';
import { compareAge } from './input.js';
import * as internal from './internal.js';
import { type Attachment, isServedHere } from './parents.js';
import { serviceEntryKind } from './references.js';
import { inOrder } from './route-order.js';

/** HTTP rules of one route for one host of one gateway (or of the mesh). */
export interface HttpPiece {
  readonly route: ConfigObject;
  /** What has the same key becomes one VirtualService. */
  readonly key: string;
  readonly gateway: string;
  readonly host: string;
  readonly http: readonly HTTPRoute[];
  /** Set for rules of the mesh that hold for clients of the route's own namespace only. */
  readonly exportTo?: readonly string[] | undefined;
}

/** Hosts inside the mesh that a reference stands for, and who may use the route: see `consumerOnly`. */
export function meshHosts(
  { ref, refKind }: Attachment,
  namespace: string,
  { inputs, options }: Context,
): readonly string[] {
  const own = ref.namespace ?? namespace;
  if (refKind === serviceEntryKind) return inputs.serviceEntry(own, ref.name)?.spec.hosts ?? [];
  return [`${ref.name}.${own}.svc.${options.clusterDomain}`];
}

/**
 * A route of the Service's own namespace is for everybody; one of another namespace says only how clients of that namespace
 * call the Service.
 */
export function consumerOnly({ ref }: Attachment, namespace: string): { readonly exportTo?: readonly string[] } {
  return ref.namespace === undefined || ref.namespace === namespace ? {} : { exportTo: ['.'] };
}

function withPort(routes: readonly HTTPRoute[], port: number | undefined): readonly HTTPRoute[] {
  if (port === undefined) return routes;
  return routes.map((route) => ({
    ...route,
    match: route.match?.length ? route.match.map((match) => ({ ...match, port })) : [{ port }],
  }));
}

/** The pieces of a route for one place that it is attached to. */
export function httpPieces(
  route: ConfigObject,
  hostnames: readonly string[],
  attachment: Attachment,
  routes: readonly HTTPRoute[],
  context: Context,
): readonly HttpPiece[] {
  const { namespace } = route.metadata;
  const gateway = attachment.parent.internalName;
  if (attachment.mesh) {
    const http = withPort(routes, attachment.ref.port);
    return meshHosts(attachment, namespace, context).map((host) => ({
      route,
      key: `${namespace}/${host}`,
      gateway,
      host,
      http,
      ...consumerOnly(attachment, namespace),
    }));
  }
  const hosts = hostnames.length === 0 ? ['*'] : hostnames;
  return hosts
    .filter((host) => isServedHere(host, attachment))
    .map((host) => ({ route, key: `${gateway}/${host}`, gateway, host, http: routes }));
}

/** A VirtualService that is derived from routes, named after the oldest of them. */
export function derivedVirtualService(
  name: string,
  oldest: ConfigObject,
  sources: readonly ConfigObject[],
  spec: VirtualServiceSpec,
): ConfigObject {
  const { namespace, creationTimestamp } = oldest.metadata;
  const parents = sources.map(({ kind, metadata }) => `${kind}/${metadata.name}.${metadata.namespace}`);
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: {
      name,
      namespace,
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      annotations: { [internal.parents]: parents.join(','), [internal.routeSemantics]: 'gateway' },
    },
    spec,
  };
}

/** One VirtualService a gateway and host: the rules of all routes together, in the specification's order. */
export function mergeHttpPieces(pieces: readonly HttpPiece[]): readonly ConfigObject[] {
  const byKey = new Map<string, HttpPiece[]>();
  for (const piece of pieces) {
    const list = byKey.get(piece.key);
    if (list) list.push(piece);
    else byKey.set(piece.key, [piece]);
  }
  return [...byKey].map(([key, list]) => {
    const sorted = [...list].sort((a, b) => compareAge(a.route, b.route));
    const [first = sorted[0]] = sorted;
    if (!first) throw new Error('a group without pieces');
    const http = inOrder(sorted.flatMap((piece) => piece.http));
    return derivedVirtualService(
      key.replaceAll('/', '~'),
      first.route,
      [...new Set(sorted.map(({ route }) => route))],
      {
        hosts: [first.host],
        gateways: [first.gateway],
        http,
        ...(first.exportTo && { exportTo: first.exportTo }),
      },
    );
  });
}
