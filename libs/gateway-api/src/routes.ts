import type { gatewayApi, HTTPRoute as IstioHTTPRoute } from '@seine/istio';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import type { Context } from './context.js';
import type { AttachedRoutes } from './gateway-status.js';
import type { Parent } from './gateways.js';
import { hostsOverlap, intersectNames } from './hostnames.js';
import { convertGrpcRoute, type ConvertedRules, convertHttpRoute } from './http-rules.js';
import type { GRPCRoute, HTTPRoute, TCPRoute, TLSRoute } from './input.js';
import * as internal from './internal.js';
import { convertL4Rules, type L4Destinations } from './l4-rules.js';
import { accepted, type Attachment, attachmentsOf, type RouteHead } from './parents.js';
import { type RouteOutcome, routeStatus } from './route-status.js';
import {
  consumerOnly,
  derivedVirtualService,
  type HttpPiece,
  httpPieces,
  mergeHttpPieces,
  meshHosts,
} from './virtual-services.js';

/** What came of all routes. */
export interface TranslatedRoutes {
  readonly objects: readonly ConfigObject[];
  readonly statuses: () => ReadonlyMap<ObjectKey, object>;
  /** By key of the parent. */
  readonly attached: ReadonlyMap<string, AttachedRoutes>;
}

type Parents = ReadonlyMap<string, readonly Parent[]>;

interface Attached<T> {
  readonly attachments: readonly Attachment[];
  readonly rulesFor: (attachment: Attachment) => readonly T[];
}

/** Collects what all kinds of routes have in common. */
class Routes {
  readonly #outcomes: (readonly [ConfigObject, readonly Attachment[], RouteOutcome])[] = [];
  readonly attached = new Map<string, Map<string, number>>();

  constructor(
    private readonly parents: Parents,
    private readonly context: Context,
  ) {}

  /** Attaches a route and converts its rules, separately for gateways and for the mesh. */
  take<T>(head: RouteHead, rules: number, convert: (inMesh: boolean) => ConvertedRules<T>): Attached<T> {
    const attachments = attachmentsOf(head, this.parents, this.context);
    const needs = (mesh: boolean): boolean => attachments.some((attachment) => attachment.mesh === mesh);
    const gateway = needs(false) ? convert(false) : undefined;
    const mesh = needs(true) ? convert(true) : undefined;
    const outcome: RouteOutcome = {
      gateway: gateway && { ...gateway, rules },
      mesh: mesh && { ...mesh, rules },
    };
    this.#outcomes.push([head.object, attachments, outcome]);
    const held = accepted(attachments);
    for (const { parent, mesh: inMesh } of held) if (!inMesh) this.#count(parent);
    return {
      attachments: held,
      rulesFor: (attachment) => (attachment.mesh ? mesh : gateway)?.routes ?? [],
    };
  }

  statuses(): ReadonlyMap<ObjectKey, object> {
    return new Map(
      this.#outcomes.map(([object, attachments, outcome]) => [
        objectKey(object),
        routeStatus(object, attachments, outcome, this.context),
      ]),
    );
  }

  #count({ key, sectionName }: Parent): void {
    const counts = this.attached.get(key) ?? new Map<string, number>();
    counts.set(sectionName, (counts.get(sectionName) ?? 0) + 1);
    this.attached.set(key, counts);
  }
}

function headOf(
  object: HTTPRoute | GRPCRoute | TLSRoute | TCPRoute,
  kind: RouteHead['kind'],
  hostnames: readonly string[] = [],
): RouteHead {
  return { object, kind, parentRefs: object.spec.parentRefs ?? [], hostnames };
}

function httpObjects(routes: Routes, context: Context): readonly ConfigObject[] {
  const pieces: HttpPiece[] = [];
  const take = (object: HTTPRoute | GRPCRoute, kind: 'HTTPRoute' | 'GRPCRoute'): void => {
    const { hostnames = [], rules = [] } = object.spec;
    const convert = (inMesh: boolean): ConvertedRules<IstioHTTPRoute> =>
      kind === 'HTTPRoute'
        ? convertHttpRoute(object as HTTPRoute, inMesh, context)
        : convertGrpcRoute(object as GRPCRoute, inMesh, context);
    const { attachments, rulesFor } = routes.take(headOf(object, kind, hostnames), rules.length, convert);
    for (const attachment of attachments) {
      const own = rulesFor(attachment);
      if (own.length > 0) pieces.push(...httpPieces(object, hostnames, attachment, own, context));
    }
  };
  const { inputs } = context;
  for (const route of inputs.all<gatewayApi.HTTPRouteSpec>('gateway.networking.k8s.io/HTTPRoute'))
    take(route, 'HTTPRoute');
  for (const route of inputs.all<gatewayApi.GRPCRouteSpec>('gateway.networking.k8s.io/GRPCRoute'))
    take(route, 'GRPCRoute');
  return mergeHttpPieces(pieces);
}

function tcpObjects(routes: Routes, context: Context): readonly ConfigObject[] {
  return context.inputs.all<gatewayApi.TCPRouteSpec>('gateway.networking.k8s.io/TCPRoute').flatMap((object) => {
    const { namespace, name } = object.metadata;
    const convert = (inMesh: boolean): ConvertedRules<L4Destinations> =>
      convertL4Rules(object.spec.rules, { kind: 'TCPRoute', namespace, needsGrant: !inMesh }, context);
    const { attachments, rulesFor } = routes.take(headOf(object, 'TCPRoute'), object.spec.rules.length, convert);
    const specs = attachments.flatMap((attachment) => {
      const { port } = attachment.ref;
      const match = attachment.mesh && port !== undefined ? { match: [{ port }] } : {};
      const tcp = rulesFor(attachment).map((rule) => ({ ...match, ...rule }));
      const hosts = attachment.mesh ? meshHosts(attachment, namespace, context) : ['*'];
      const gateways = [attachment.parent.internalName];
      const visible = attachment.mesh ? consumerOnly(attachment, namespace) : {};
      return hosts.map((host) => ({ hosts: [host], gateways, tcp, ...visible }));
    });
    return specs.map((spec, i) => derivedVirtualService(internal.derivedName(name, 'tcp', i), object, [object], spec));
  });
}

interface TlsPlace {
  readonly hosts: readonly string[];
  /** What SNI is compared with, for a host. */
  readonly sniFor: (host: string) => readonly string[];
}

/** On a gateway a route serves what both it and the listener name; inside the mesh the Service's host where it names none. */
function tlsPlace(attachment: Attachment, hostnames: readonly string[], namespace: string, context: Context): TlsPlace {
  const sni = hostnames.length === 0 ? ['*'] : hostnames;
  if (attachment.mesh) {
    const hosts = meshHosts(attachment, namespace, context);
    if (hostnames.length === 0) return { hosts, sniFor: (host) => [host] };
    return { hosts, sniFor: (host) => (sni.length > 1 ? sni.filter((name) => hostsOverlap(host, name)) : sni) };
  }
  const { hostname } = attachment.parent;
  const common = hostname === '' ? sni : intersectNames(sni, [hostname]);
  return { hosts: common, sniFor: () => common };
}

function tlsObjects(routes: Routes, context: Context): readonly ConfigObject[] {
  return context.inputs.all<gatewayApi.TLSRouteSpec>('gateway.networking.k8s.io/TLSRoute').flatMap((object) => {
    const { namespace, name } = object.metadata;
    const { hostnames = [], rules } = object.spec;
    const convert = (inMesh: boolean): ConvertedRules<L4Destinations> =>
      convertL4Rules(rules, { kind: 'TLSRoute', namespace, needsGrant: !inMesh }, context);
    const { attachments, rulesFor } = routes.take(headOf(object, 'TLSRoute', hostnames), rules.length, convert);
    const specs = attachments.flatMap((attachment) => {
      const { hosts, sniFor } = tlsPlace(attachment, hostnames, namespace, context);
      const port = attachment.mesh && attachment.ref.port !== undefined ? { port: attachment.ref.port } : {};
      const gateways = [attachment.parent.internalName];
      const visible = attachment.mesh ? consumerOnly(attachment, namespace) : {};
      return hosts.map((host) => ({
        hosts: [host],
        gateways,
        tls: rulesFor(attachment).map((rule) => ({ match: [{ sniHosts: sniFor(host), ...port }], ...rule })),
        ...visible,
      }));
    });
    return specs.map((spec, i) => derivedVirtualService(internal.derivedName(name, 'tls', i), object, [object], spec));
  });
}

/** Translates routes of all kinds. */
export function translateRoutes(parents: Parents, context: Context): TranslatedRoutes {
  const routes = new Routes(parents, context);
  const objects = [...httpObjects(routes, context), ...tcpObjects(routes, context), ...tlsObjects(routes, context)];
  return { objects, statuses: () => routes.statuses(), attached: routes.attached };
}
