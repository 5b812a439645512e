import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import type { Mesh } from '@seine/model';
import { gatewayApiOptions } from './derived-config.js';
import { isIngress } from './ingress/ingress-input.js';
import { translateIngress } from './ingress/translate-ingress.js';
import { isGatewayApiObject } from './input.js';
import { translateGatewayApi } from './translate.js';

/** Whether a mesh says something of such objects in their `status`. */
export function hasStatus(object: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  return isGatewayApiObject(object) || isIngress(object);
}

/**
 * The status of every Gateway API object and Ingress that is the mesh's: what an API server would have been told. Conditions
 * keep the time at which they came to be what they are.
 */
export class ObjectStatuses {
  #last: ReadonlyMap<ObjectKey, object> = new Map();

  /**
   * @param objects all config objects
   * @param mesh what was made of them
   * @param now RFC 3339
   * @returns by key of the object
   */
  of(
    objects: readonly ConfigObject[],
    mesh: Pick<Mesh, 'config' | 'endpoints'>,
    now: string,
  ): ReadonlyMap<ObjectKey, object> {
    const known = objects.map((object) => {
      const status = hasStatus(object) ? this.#last.get(objectKey(object)) : undefined;
      return status ? { ...object, status } : object;
    });
    const options = { ...gatewayApiOptions(mesh.config), endpoints: mesh.endpoints, now };
    this.#last = new Map([
      ...translateGatewayApi(known, options).statuses,
      ...translateIngress(known, mesh.config).statuses,
    ]);
    return this.#last;
  }
}
