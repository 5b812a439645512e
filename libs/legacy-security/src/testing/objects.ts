import { type ConfigObject, objectKey } from '@seine/k8s';
import { formatDiagnostic } from '@seine/diagnostics';
import { type LegacySecurity, translateLegacySecurity } from '../translate.js';

export const options = { rootNamespace: 'istio-system', clusterDomain: 'cluster.local' };

const clusterScoped: ReadonlySet<string> = new Set(['MeshPolicy', 'ClusterRbacConfig']);
const authentication: ReadonlySet<string> = new Set(['MeshPolicy', 'Policy']);

/** An object of an old kind. */
export function old(kind: string, name: string, spec: object, metadata: object = {}): ConfigObject {
  const namespace = clusterScoped.has(kind) ? '' : 'shop';
  const group = authentication.has(kind) ? 'authentication.istio.io' : 'rbac.istio.io';
  return { apiVersion: `${group}/v1alpha1`, kind, metadata: { name, namespace, ...metadata }, spec };
}

/** A Service that selects `app: NAME`. @param ports `http:80:8080` = name, port, target port */
export function service(
  name: string,
  ports: readonly string[] = ['http:80:8080'],
  metadata: object = {},
): ConfigObject {
  const spec = {
    selector: { app: name },
    ports: ports.map((text) => {
      const [portName = '', port = '', target] = text.split(':');
      const targetPort = target === undefined ? undefined : /^\d+$/.test(target) ? Number(target) : target;
      return { name: portName, port: Number(port), ...(targetPort !== undefined && { targetPort }) };
    }),
  };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop', ...metadata }, spec };
}

export function translate(...objects: readonly ConfigObject[]): LegacySecurity {
  return translateLegacySecurity(objects, options);
}

/** Specs of what is derived, by `Kind namespace/name`. */
export function derived(...objects: readonly ConfigObject[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    translate(...objects).objects.map((object) => [objectKey(object).replace('security.istio.io/', ''), object.spec]),
  );
}

/** What is said, each in a line. */
export function said(...objects: readonly ConfigObject[]): readonly string[] {
  return translate(...objects).diagnostics.map(formatDiagnostic);
}
