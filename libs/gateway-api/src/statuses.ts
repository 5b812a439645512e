import type { ConfigObject, ObjectKey } from '@seine/k8s';
import type { Mesh } from '@seine/model';
import { gatewayApiOptions } from './derived-config.js';
import { translateIngress } from './ingress/translate-ingress.js';
import { translateGatewayApi } from './translate.js';

/**
 * The status of every Gateway API object and Ingress that is the mesh's, by key: what an API server would have been told.
 * @param objects all config objects, those that statuses are for among them
 * @param now RFC 3339
 */
export function statusesOf(
  objects: readonly ConfigObject[],
  mesh: Pick<Mesh, 'config' | 'endpoints'>,
  now: string,
): ReadonlyMap<ObjectKey, object> {
  const options = { ...gatewayApiOptions(mesh.config), endpoints: mesh.endpoints, now };
  return new Map([
    ...translateGatewayApi(objects, options).statuses,
    ...translateIngress(objects, mesh.config).statuses,
  ]);
}
