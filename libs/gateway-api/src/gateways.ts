import type { gatewayApi, Server } from '@seine/istio';
import { type ConfigObject, groupOf } from '@seine/k8s';
import { type RouteKind, supportedKinds } from './allowed-routes.js';
import type { Context } from './context.js';
import { type ClassInfo, eastWestController, meshController } from './gateway-classes.js';
import { gatewayServices, type GatewayServices, serviceAccountOf } from './gateway-services.js';
import { type Gateway, type ListenerSet } from './input.js';
import * as internal from './internal.js';
import { type Conflicts, listenerConflicts, listenerPort, parentGatewayOf } from './listener-conflicts.js';
import {
  type BuiltListener,
  buildListener,
  conflictedStatus,
  type ListenerPlace,
  type ListenerStatus,
} from './listeners.js';
import { gatewayKind, listenerSetKind } from './references.js';

/** A listener that routes may be attached to. */
export interface Parent {
  /** `group/Kind/namespace/name` of the Gateway or ListenerSet. */
  readonly key: string;
  /** What a VirtualService names in `gateways`. */
  readonly internalName: string;
  readonly kinds: readonly RouteKind[];
  /** `namespace/host`, as in the server; empty: everything is allowed (the mesh). */
  readonly hosts: readonly string[];
  /** As it was written; empty: all hosts. */
  readonly hostname: string;
  readonly sectionName: string;
  readonly port: number;
  readonly protocol: string;
}

/** What came of one Gateway or ListenerSet. */
export interface TranslatedOwner<T extends Gateway | ListenerSet> {
  readonly object: T;
  readonly info: ClassInfo;
  readonly services: GatewayServices;
  readonly servers: readonly Server[];
  readonly listeners: readonly ListenerStatus[];
  readonly validListeners: number;
  /** Of the listeners that are programmed. */
  readonly configs: readonly ConfigObject[];
  readonly parents: readonly Parent[];
}

export interface TranslatedGateway extends TranslatedOwner<Gateway> {
  readonly listenerSets: readonly TranslatedOwner<ListenerSet>[];
}

/** All Gateways of classes that are ours, with the ListenerSets that they take. */
export interface TranslatedGateways {
  readonly gateways: readonly TranslatedGateway[];
  /** ListenerSets of Gateways that are ours, but that do not take them. */
  readonly refusedSets: readonly { readonly object: ListenerSet; readonly message: string }[];
}

/** The key of an owner that routes name as parent. */
export function parentKey(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

/** Routes of waypoints, and of the HBONE port of east-west gateways, are not VirtualServices. */
function takesRoutes(controllerName: string, port: number): boolean {
  return controllerName !== meshController && !(controllerName === eastWestController && port === 15008);
}

function derivedGateway(
  place: ListenerPlace,
  server: Server,
  services: GatewayServices,
  info: ClassInfo,
): ConfigObject {
  const { owner, gateway, listener } = place;
  const { namespace, name, creationTimestamp } = owner.metadata;
  const isSet = owner.kind !== 'Gateway';
  const annotations = {
    [internal.gatewaySemantics]: 'gateway',
    ...(!services.sharedGateway && { [internal.gatewayService]: services.hosts.join(',') }),
    ...(isSet && { [internal.parentNamespace]: gateway.metadata.namespace }),
    [internal.parents]: `${isSet ? 'ListenerSet' : 'Gateway'}/${name}/${listener.name}.${namespace}`,
    [internal.serviceAccountName]: serviceAccountOf(gateway, info),
  };
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: {
      name: internal.listenerGatewayName(name, listener.name),
      namespace,
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      annotations,
    },
    spec: { ...(services.sharedGateway && { selector: services.sharedGateway }), servers: [server] },
  };
}

function parentOf({ owner, listener }: ListenerPlace, server: Server): Parent {
  const { namespace, name } = owner.metadata;
  return {
    key: parentKey(owner.kind === 'Gateway' ? gatewayKind : listenerSetKind, namespace, name),
    internalName: `${namespace}/${internal.listenerGatewayName(name, listener.name)}`,
    kinds: supportedKinds(listener).kinds,
    hosts: server.hosts,
    hostname: listener.hostname ?? '',
    sectionName: listener.name,
    port: listener.port,
    protocol: listener.protocol,
  };
}

function translateOwner<T extends Gateway | ListenerSet>(
  object: T,
  places: readonly ListenerPlace[],
  { info, services, conflicts }: { info: ClassInfo; services: GatewayServices; conflicts: Conflicts },
  context: Context,
): TranslatedOwner<T> {
  const lost = conflicts.get(object);
  const built = places.map((place): { place: ListenerPlace } & BuiltListener => {
    const reason = lost?.get(place.listener.name);
    if (reason === undefined) return { place, ...buildListener(place, context) };
    return { place, server: undefined, valid: false, status: conflictedStatus(place, reason, context) };
  });
  const configs: ConfigObject[] = [];
  const parents: Parent[] = [];
  const servers: Server[] = [];
  for (const { place, server, valid } of built) {
    if (!server) continue;
    servers.push(server);
    if (!takesRoutes(info.controllerName, place.listener.port)) continue;
    if (valid) configs.push(derivedGateway(place, server, services, info));
    if (valid || object.kind === 'Gateway') parents.push(parentOf(place, server));
  }
  const validListeners = built.filter(({ valid }) => valid).length;
  const listeners = built.map(({ status }) => status);
  return { object, info, services, servers, listeners, validListeners, configs, parents };
}

function placesOf(gateway: Gateway, controllerName: string): readonly ListenerPlace[] {
  return gateway.spec.listeners.map((listener) => ({ owner: gateway, gateway, listener, controllerName }));
}

function setPlaces(owner: ListenerSet, gateway: Gateway, controllerName: string): readonly ListenerPlace[] {
  return owner.spec.listeners.map((entry: gatewayApi.ListenerEntry) => {
    const port = listenerPort(entry);
    const listener = { ...entry, port: port ?? 0 };
    return { owner, gateway, listener, controllerName, withoutPort: port === undefined };
  });
}

const notAllowed = "The parent Gateway does not allow this reference; check the 'spec.allowedRoutes'";

/** Translates Gateways and ListenerSets; routes come after, as they need to know what they can be attached to. */
export function translateGateways(
  context: Context,
  allows: (namespace: string, gateway: Gateway) => boolean,
): TranslatedGateways {
  const setsByGateway = new Map<string, ListenerSet[]>();
  for (const set of context.inputs.listenerSets()) {
    const key = parentGatewayOf(set) ?? '';
    setsByGateway.set(key, [...(setsByGateway.get(key) ?? []), set]);
  }
  const gateways: TranslatedGateway[] = [];
  const refusedSets: { object: ListenerSet; message: string }[] = [];
  for (const gateway of context.inputs.gateways()) {
    const info = context.classes.find(gateway.spec.gatewayClassName);
    if (!info) continue;
    const { namespace, name } = gateway.metadata;
    const sets = setsByGateway.get(`${namespace}/${name}`) ?? [];
    const services = gatewayServices(gateway, info, context);
    const taken = info.listenerSets ? sets.filter((set) => allows(set.metadata.namespace, gateway)) : [];
    for (const object of sets)
      if (!taken.includes(object))
        refusedSets.push({
          object,
          message: info.listenerSets
            ? notAllowed
            : `The "${gateway.spec.gatewayClassName}" GatewayClass does not support ListenerSet`,
        });
    if (info.remote || (services.hosts.length === 0 && services.problem)) {
      const listenerSets = taken.map((set) => untouched(set, info, services));
      gateways.push({ ...untouched(gateway, info, services), listenerSets });
      continue;
    }
    const common = { info, services, conflicts: listenerConflicts(gateway, info.listenerSets ? sets : [], context) };
    const own = translateOwner(gateway, placesOf(gateway, info.controllerName), common, context);
    const listenerSets = taken.map((set) =>
      translateOwner(set, setPlaces(set, gateway, info.controllerName), common, context),
    );
    gateways.push({ ...own, listenerSets });
  }
  return { gateways, refusedSets };
}

/** Nothing is made of it: not for a fault of its listeners, which all count as valid. */
function untouched<T extends Gateway | ListenerSet>(
  object: T,
  info: ClassInfo,
  services: GatewayServices,
): TranslatedOwner<T> {
  const validListeners = object.spec.listeners.length;
  return { object, info, services, servers: [], listeners: [], validListeners, configs: [], parents: [] };
}

export function isListenerSet({ apiVersion, kind }: ConfigObject): boolean {
  return groupOf(apiVersion).startsWith('gateway.networking.') && /^X?ListenerSet$/.test(kind);
}
