/** What an object refers to: API group and kind. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** `group/Kind`, to compare by. */
export type GroupKindKey = string;

export function groupKindKey({ group, kind }: GroupKind): GroupKindKey {
  return `${group}/${kind}`;
}

export const gatewayKind = 'gateway.networking.k8s.io/Gateway';
export const listenerSetKind = 'gateway.networking.k8s.io/ListenerSet';
export const serviceKind = '/Service';
export const serviceEntryKind = 'networking.istio.io/ServiceEntry';
export const secretKind = '/Secret';
export const configMapKind = '/ConfigMap';
export const backendKind = 'gateway.networking.x-k8s.io/XBackend';
export const hostnameKind = 'networking.istio.io/Hostname';
export const serviceImportKind = 'multicluster.x-k8s.io/ServiceImport';
export const inferencePoolKind = 'inference.networking.k8s.io/InferencePool';

/** An older name of the same kind. */
const renamed: Readonly<Record<string, GroupKindKey>> = {
  'gateway.networking.x-k8s.io/XListenerSet': listenerSetKind,
};

interface Reference {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
}

/** What a reference means; group and kind that it leaves out are those of `fallback`. */
export function kindOf(reference: Reference, fallback: GroupKindKey = '/'): GroupKindKey {
  const slash = fallback.indexOf('/');
  const group = reference.group ?? fallback.slice(0, slash);
  const key = `${group}/${reference.kind ?? fallback.slice(slash + 1)}`;
  return renamed[key] ?? key;
}

/** `namespace/name`. */
export function namespacedName(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
