import { type ConfigObject, type Fields, fieldsOf, itemsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { type KindName, kinds } from './frame/kinds.js';

const waypoint = ['istio.io/WaypointBound'];
const translated = ['Translated'];
const routing = ['Accepted', 'Programmed', 'ResolvedRefs'];

/** Conditions that are bad news when they are False. */
const telling: ReadonlyMap<KindName, readonly string[]> = new Map<KindName, readonly string[]>([
  [kinds.service, waypoint],
  [kinds.serviceEntry, waypoint],
  [kinds.workloadEntry, waypoint],
  [kinds.authorizationPolicy, ['ZtunnelAccepted', 'WaypointAccepted']],
  [kinds.kubernetesGateway, routing],
  [kinds.httpRoute, routing],
  [kinds.grpcRoute, routing],
  // Security kinds of Istio 1.0 to 1.5: what has no counterpart today.
  [kinds.oldPolicy, translated],
  [kinds.oldMeshPolicy, translated],
  [kinds.serviceRole, translated],
  [kinds.serviceRoleBinding, translated],
  [kinds.clusterRbacConfig, translated],
  [kinds.rbacConfig, translated],
]);

interface PlacedCondition {
  readonly condition: Fields;
  readonly path: string;
}

function conditionsOf(object: ConfigObject): readonly PlacedCondition[] {
  const status = fieldsOf(object['status']);
  const at = (fields: Fields, path: string) =>
    itemsOf(fields['conditions']).map((condition, i) => ({ condition, path: `${path}.conditions[${i}]` }));
  const parents = itemsOf(status['parents']).flatMap((parent, i) => at(parent, `status.parents[${i}]`));
  return [...at(status, 'status'), ...parents];
}

function isBad(kind: KindName, { type, status, reason }: Fields): boolean {
  if (status === 'False') return telling.get(kind)?.includes(textOf(type)) ?? false;
  return kind === kinds.authorizationPolicy && type === 'WaypointAccepted' && reason === 'PartiallyInvalid';
}

export const conditionsCondition: Analyzer = {
  name: 'conditions.ConditionAnalyzer',
  description: 'Conditions in the status of objects that say they are not in force.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const kind of telling.keys())
      for (const object of catalogue.all(kind))
        for (const { condition, path } of conditionsOf(object)) {
          if (!isBad(kind, condition)) continue;
          const conditionType = textOf(condition['type']);
          const reason = textOf(condition['reason']);
          const message = textOf(condition['message']);
          report('NegativeConditionStatus', object, { conditionType, reason, message }, path);
        }
  },
};
