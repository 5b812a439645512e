import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { deepEqual, deepFreeze } from '@seine/memo';
import type { MeshConfig } from '@seine/model';
import { isIngress, isReadWithIngress, ingressSelector } from './ingress/ingress-input.js';
import { translateIngress } from './ingress/translate-ingress.js';
import { isGatewayApiObject, isReadWithGatewayApi, type TranslateOptions } from './input.js';
import { translateGatewayApi } from './translate.js';

/** Config objects by key, as far as they are looked up and gone through. */
export interface ObjectsByKey extends Iterable<readonly [ObjectKey, ConfigObject]> {
  get(key: ObjectKey): ConfigObject | undefined;
  has(key: ObjectKey): boolean;
}

/** The settings of a mesh that the Gateway API is translated with. */
export function gatewayApiOptions(config: MeshConfig): Omit<TranslateOptions, 'now'> {
  const { clusterDomain, deploysGateways } = config;
  return { clusterDomain, ...(!deploysGateways && { sharedGateway: ingressSelector(config) }) };
}

/** Written objects, and beneath them what was derived from them. */
class Layered implements ObjectsByKey {
  constructor(
    private readonly written: ReadonlyMap<ObjectKey, ConfigObject>,
    private readonly derived: ReadonlyMap<ObjectKey, ConfigObject>,
  ) {}

  get(key: ObjectKey): ConfigObject | undefined {
    return this.written.get(key) ?? this.derived.get(key);
  }

  has(key: ObjectKey): boolean {
    return this.written.has(key) || this.derived.has(key);
  }

  *[Symbol.iterator](): Generator<readonly [ObjectKey, ConfigObject]> {
    yield* this.written;
    for (const entry of this.derived) if (!this.written.has(entry[0])) yield entry;
  }
}

function isSource(object: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  return isGatewayApiObject(object) || isIngress(object);
}

function isRead(object: Pick<ConfigObject, 'apiVersion' | 'kind'>): boolean {
  return isReadWithGatewayApi(object) || isReadWithIngress(object);
}

/** `group/Kind` of a key, in the form in which objects say it. */
function typeOfKey(key: ObjectKey): Pick<ConfigObject, 'apiVersion' | 'kind'> {
  const [group = '', kind = ''] = key.split('/', 2);
  return { apiVersion: group === '' ? 'v1' : `${group}/v1`, kind };
}

/**
 * What Gateway API objects and Ingresses of a mesh mean in Istio's API, kept up to date. While there are none of them it
 * does nothing; then it translates anew whenever an object changes that the translation reads. Derived objects that come
 * out equal keep their identity.
 */
export class DerivedConfig {
  readonly #sources = new Set<ObjectKey>();
  #derived: ReadonlyMap<ObjectKey, ConfigObject> = new Map();
  #config: MeshConfig | undefined;

  /**
   * Takes changes in.
   * @param changedKeys the only keys whose objects may differ from the last call; undefined: any may
   * @returns the keys of derived objects that came, went or changed
   */
  update(
    objects: ReadonlyMap<ObjectKey, ConfigObject>,
    changedKeys: Iterable<ObjectKey> | undefined,
    config: MeshConfig,
  ): ReadonlySet<ObjectKey> {
    const concerned = this.#takeKeys(objects, changedKeys) || !deepEqual(this.#config, config);
    this.#config = config;
    if (!concerned || (this.#sources.size === 0 && this.#derived.size === 0)) return new Set();
    return this.#replace(this.#sources.size === 0 ? [] : translateAll(objects, config), objects);
  }

  /** The written objects with those derived from them. */
  over(written: ReadonlyMap<ObjectKey, ConfigObject>): ObjectsByKey {
    return this.#derived.size === 0 ? written : new Layered(written, this.#derived);
  }

  /** Whether some object is among the changed ones that the translation reads. */
  #takeKeys(objects: ReadonlyMap<ObjectKey, ConfigObject>, changedKeys: Iterable<ObjectKey> | undefined): boolean {
    if (!changedKeys) this.#sources.clear();
    let concerned = !changedKeys;
    for (const key of changedKeys ?? objects.keys()) {
      const type = typeOfKey(key);
      if (!isSource(type)) {
        concerned ||= isRead(type);
        continue;
      }
      concerned = true;
      if (objects.has(key)) this.#sources.add(key);
      else this.#sources.delete(key);
    }
    return concerned;
  }

  #replace(derived: readonly ConfigObject[], written: ReadonlyMap<ObjectKey, ConfigObject>): ReadonlySet<ObjectKey> {
    const next = new Map<ObjectKey, ConfigObject>();
    const changed = new Set<ObjectKey>();
    for (const object of derived) {
      const key = objectKey(object);
      if (written.has(key)) continue;
      const before = this.#derived.get(key);
      const same = before !== undefined && deepEqual(before, object);
      next.set(key, same ? before : deepFreeze(object));
      if (!same) changed.add(key);
    }
    for (const key of this.#derived.keys()) if (!next.has(key)) changed.add(key);
    if (changed.size > 0) this.#derived = next;
    return changed;
  }
}

function translateAll(objects: ReadonlyMap<ObjectKey, ConfigObject>, config: MeshConfig): readonly ConfigObject[] {
  const read = [...objects.values()].filter(isRead);
  return [
    ...translateGatewayApi(read, { ...gatewayApiOptions(config), now: '' }).objects,
    ...translateIngress(read, config).objects,
  ];
}
