import { formatObjectRef, type ObjectRef } from '@seine/diagnostics';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import type { Endpoint, ExportTo, MeshService } from '@seine/model';
import type { Labels } from './fields.js';
import { compareText } from './fields.js';

/**
 * What one object says about one host. Several objects may name one host: they are candidates, one of them wins.
 */
export interface ServiceSource {
  readonly objectKey: ObjectKey;
  /** Without the accounts of its endpoints: `serviceAccounts` holds only those that the object itself declares. */
  readonly service: MeshService;
  /** Picks instances of the same namespace; undefined = picks none. */
  readonly selector: Labels | undefined;
  /** Pods count as ready though they are not (Kubernetes, Service `publishNotReadyAddresses`). */
  readonly publishNotReady?: boolean | undefined;
  /** Endpoints that the object itself states, by port. */
  readonly inline: ReadonlyMap<number, readonly Endpoint[]>;
}

export function refOf(object: ConfigObject): ObjectRef {
  return { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}

/**
 * `*`, `.` (the object's own namespace), `~` (nobody), or namespaces.
 * @param byDefault what counts where nothing is stated (MeshConfig); none = `*`
 */
export function parseExportTo(
  stated: readonly string[],
  ownNamespace: string,
  byDefault: readonly string[] = [],
): ExportTo {
  const entries = stated.length > 0 ? stated : byDefault;
  if (entries.length === 0 || entries.includes('*')) return '*';
  const namespaces = entries.filter((entry) => entry !== '~').map((entry) => (entry === '.' ? ownNamespace : entry));
  return [...new Set(namespaces)].sort();
}

/** The order of candidates: Kubernetes first, then the older (none stated = oldest), then by namespace and name. */
export function compareSources(a: ServiceSource, b: ServiceSource): number {
  return (
    Number(a.service.registry !== 'kubernetes') - Number(b.service.registry !== 'kubernetes') ||
    compareText(a.service.creationTimestamp, b.service.creationTimestamp) ||
    compareText(a.service.namespace, b.service.namespace) ||
    compareText(a.service.origin.name, b.service.origin.name) ||
    compareText(formatObjectRef(a.service.origin), formatObjectRef(b.service.origin))
  );
}
