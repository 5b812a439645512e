import { groupOf, isClusterScopedElsewhere, k8sKinds, type KindInfo } from '@seine/k8s';
import { gatewayApiKinds } from '../gateway-api/kinds.js';
import { foreignKinds } from './foreign-kinds.js';
import { istioKinds } from './istio-kinds.js';
import { seineKinds } from './seine-kinds.js';
import { legacySecurityKinds } from '../legacy-security/kinds.js';
import { mixerKinds, oldMixerKinds } from '../mixer/kinds.js';
import { withProxyConfigAnnotation } from '../mesh/proxy-config-annotation.js';
import { withMeshConfig } from '../mesh/read-mesh-config.js';

/** Every kind that is known: Istio's, Seine's own, those of Kubernetes, and those that are known by name only. */
export const kinds: readonly KindInfo[] = [
  ...istioKinds,
  ...legacySecurityKinds,
  ...mixerKinds,
  ...oldMixerKinds,
  ...seineKinds,
  ...k8sKinds.map(withMeshConfig).map(withProxyConfigAnnotation),
  ...gatewayApiKinds,
  ...foreignKinds,
];

const byGroup: ReadonlyMap<string, ReadonlyMap<string, KindInfo>> = new Map(
  [...new Set(kinds.map((info) => info.group))].map((group) => [
    group,
    new Map(kinds.filter((info) => info.group === group).map((info) => [info.kind, info])),
  ]),
);

/** The kinds of an API group by their names; undefined for a group that is not known. */
export function kindsOfGroup(group: string): ReadonlyMap<string, KindInfo> | undefined {
  return byGroup.get(group);
}

/** What is known of a kind, whichever version of its group is written. */
export function kindInfo(apiVersion: string, kind: string): KindInfo | undefined {
  return byGroup.get(groupOf(apiVersion))?.get(kind);
}

/** Whether objects of a kind have a namespace; kinds that nobody knows count as namespaced, as most are. */
export function isNamespaced(apiVersion: string, kind: string): boolean {
  return kindInfo(apiVersion, kind)?.namespaced ?? !isClusterScopedElsewhere(kind);
}

/**
 * The kinds that a word may mean: kind, plural, singular or short name in any case, with or without the group
 * (`virtualservices.networking.istio.io`). Several, where groups share a name (`gateway`).
 */
export function findKinds(word: string): readonly KindInfo[] {
  const wanted = word.toLowerCase();
  return kinds.filter((info) =>
    [info.kind.toLowerCase(), info.plural, info.singular, ...info.shortNames].some(
      (name) => wanted === name || wanted === `${name}.${info.group}`,
    ),
  );
}

/** The kind that a word means first: Istio's before those of other groups. */
export function findKind(word: string): KindInfo | undefined {
  return findKinds(word)[0];
}
