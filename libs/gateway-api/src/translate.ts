import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { allowsListenersOf } from './allowed-routes.js';
import { authoritySecrets } from './authority-secrets.js';
import { translatePolicies } from './backend-policies.js';
import { type Context, contextOf, once } from './context.js';
import { gatewayClassStatus } from './gateway-classes.js';
import { gatewayStatus, listenerSetStatus, refusedSetStatus } from './gateway-status.js';
import { type Parent, parentKey, translateGateways, type TranslatedGateways } from './gateways.js';
import type { TranslateOptions } from './input.js';
import { gatewayKind, listenerSetKind } from './references.js';
import { translateRoutes, type TranslatedRoutes } from './routes.js';

/** What Gateway API objects mean in Istio's API, and what is to be said of them. */
export interface Translation {
  /** Gateways, VirtualServices, DestinationRules, ServiceEntries and Secrets. Their names cannot be those of a user's objects. */
  readonly objects: readonly ConfigObject[];
  /** The whole `status` of each object that is ours, by its key; made when it is asked for. */
  readonly statuses: ReadonlyMap<ObjectKey, object>;
}

/**
 * Translates Gateway API objects into Istio's API, as Istio does. Pure.
 * @param objects Gateway API objects, and the Services, ServiceEntries, Namespaces, Secrets and ConfigMaps that they may
 * refer to; others are not looked at
 */
export function translateGatewayApi(objects: Iterable<ConfigObject>, options: TranslateOptions): Translation {
  const context = contextOf(objects, options);
  const gateways = translateGateways(context, (namespace, gateway) => allowsListenersOf(namespace, gateway, context));
  const owners = gateways.gateways.flatMap((gateway) => [gateway, ...gateway.listenerSets]);
  const routes = translateRoutes(parentsOf(owners.flatMap(({ parents }) => parents)), context);
  const policies = translatePolicies(context);
  const derived = [...owners.flatMap(({ configs }) => configs), ...routes.objects, ...policies.objects];
  const statuses = once(
    () =>
      new Map([
        ...classStatuses(context),
        ...gatewayStatuses(gateways, routes, context),
        ...routes.statuses(),
        ...policies.statuses,
      ]),
  );
  return {
    objects: [...derived, ...authoritySecrets(derived, context)],
    get statuses() {
      return statuses();
    },
  };
}

function parentsOf(parents: readonly Parent[]): ReadonlyMap<string, readonly Parent[]> {
  const byKey = new Map<string, Parent[]>();
  for (const parent of parents) byKey.set(parent.key, [...(byKey.get(parent.key) ?? []), parent]);
  return byKey;
}

function classStatuses({ classes, options }: Context): readonly (readonly [ObjectKey, object])[] {
  return classes.objects
    .filter((object) => classes.serves(object))
    .map((object) => [objectKey(object), gatewayClassStatus(object, options.now)] as const);
}

function gatewayStatuses(
  { gateways, refusedSets }: TranslatedGateways,
  { attached }: TranslatedRoutes,
  context: Context,
): readonly (readonly [ObjectKey, object])[] {
  const countsOf = (kind: string, { metadata }: ConfigObject) =>
    attached.get(parentKey(kind, metadata.namespace, metadata.name));
  return [
    ...gateways.flatMap((gateway) => [
      [objectKey(gateway.object), gatewayStatus(gateway, countsOf(gatewayKind, gateway.object), context)] as const,
      ...gateway.listenerSets.map(
        (set) =>
          [
            objectKey(set.object),
            listenerSetStatus(set, gateway.object, countsOf(listenerSetKind, set.object), context),
          ] as const,
      ),
    ]),
    ...refusedSets.map(
      ({ object, message }) => [objectKey(object), refusedSetStatus(object, message, context)] as const,
    ),
  ];
}
