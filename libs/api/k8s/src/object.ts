/** The shape that every config object has, Istio's and Kubernetes' alike (Kubernetes API conventions, "Metadata"). */

export interface ObjectMeta {
  readonly name: string;
  /** Empty for cluster-scoped kinds; `default` is filled in where a namespaced object leaves it out. */
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** RFC 3339. The older of two conflicting objects wins, so sources must set it and keep it over edits. */
  readonly creationTimestamp?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
}

/**
 * One config object as the user wrote it, after parsing. Frozen; it keeps its identity as long as its content does.
 * Istio kinds carry `spec`; a few core kinds (Endpoints, EndpointSlice, Secret, ConfigMap) carry their fields at the top.
 */
export interface ConfigObject<Spec = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: Spec | undefined;
  readonly [field: string]: unknown;
}

/** `group/Kind/namespace/name`: the identity of an object; versions of one kind share it. */
export type ObjectKey = string;

/** The API group of `group/version`; the core group is the empty string. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function objectKey(object: Pick<ConfigObject, 'apiVersion' | 'kind' | 'metadata'>): ObjectKey {
  return objectKeyOf(groupOf(object.apiVersion), object.kind, object.metadata.namespace, object.metadata.name);
}

export function objectKeyOf(group: string, kind: string, namespace: string, name: string): ObjectKey {
  return `${group}/${kind}/${namespace}/${name}`;
}
