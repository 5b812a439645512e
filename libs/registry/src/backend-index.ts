import type { ObjectKey } from '@seine/k8s';
import type { Instance } from './instance.js';
import type { Backends } from './kubernetes-endpoints.js';

/** Endpoints and EndpointSlice objects by the Service they are for, and by the pods they name. */
export class BackendIndex {
  readonly #byKey = new Map<ObjectKey, Backends>();
  readonly #byService = new Map<string, Map<ObjectKey, Backends>>();
  readonly #servicesByPod = new Map<string, Map<string, number>>();

  get(key: ObjectKey): Backends | undefined {
    return this.#byKey.get(key);
  }

  add(backends: Backends): void {
    this.#byKey.set(backends.objectKey, backends);
    if (backends.service === '') return;
    let group = this.#byService.get(backends.service);
    if (!group) this.#byService.set(backends.service, (group = new Map<ObjectKey, Backends>()));
    group.set(backends.objectKey, backends);
    this.#count(backends, 1);
  }

  remove(backends: Backends): void {
    this.#byKey.delete(backends.objectKey);
    const group = this.#byService.get(backends.service);
    if (!group?.delete(backends.objectKey)) return;
    if (group.size === 0) this.#byService.delete(backends.service);
    this.#count(backends, -1);
  }

  #count(backends: Backends, step: 1 | -1): void {
    for (const { addresses } of backends.sets) {
      for (const { pod, address } of addresses) {
        const reference = pod || address;
        let services = this.#servicesByPod.get(reference);
        if (!services) this.#servicesByPod.set(reference, (services = new Map<string, number>()));
        const count = (services.get(backends.service) ?? 0) + step;
        if (count > 0) services.set(backends.service, count);
        else services.delete(backends.service);
        if (services.size === 0) this.#servicesByPod.delete(reference);
      }
    }
  }

  /**
   * What is listed for a Service (`namespace/name`), in order of object keys; undefined = nothing lists any. Slices go
   * before an Endpoints object, of which they are the newer copy.
   */
  ofService(service: string): readonly Backends[] | undefined {
    const group = this.#byService.get(service);
    if (!group) return undefined;
    const all = [...group.values()].sort((a, b) => (a.objectKey < b.objectKey ? -1 : 1));
    const slices = all.filter((backends) => backends.kind === 'EndpointSlice');
    return slices.length > 0 ? slices : all;
  }

  /** Services (`namespace/name`) whose lists name this pod, by name or by address. */
  servicesNaming(instance: Instance): readonly string[] {
    const references = [`${instance.namespace}/${instance.name}`, ...instance.ipAddresses];
    return references.flatMap((reference) => [...(this.#servicesByPod.get(reference)?.keys() ?? [])]);
  }
}
