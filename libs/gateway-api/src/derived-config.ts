import type { Diagnostic } from '@seine/diagnostics';
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
    private readonly written: ObjectsByKey,
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

type KindOf = Pick<ConfigObject, 'apiVersion' | 'kind'>;

/** A translation of objects of some kinds into Istio's. */
export interface Derivation {
  /** Whether an object is of the kinds that are translated: without any, nothing is done. */
  readonly isSource: (object: KindOf) => boolean;
  /** Whether the translation reads an object: sources, and what these refer to. */
  readonly isRead: (object: KindOf) => boolean;
  /** @param objects all that are read */
  readonly translate: (
    objects: readonly ConfigObject[],
    config: MeshConfig,
  ) => { readonly objects: readonly ConfigObject[]; readonly diagnostics?: readonly Diagnostic[] };
}

/** Gateway API objects and Ingresses. What is to be said of them stands in their status. */
const gatewayApi: Derivation = {
  isSource: (object) => isGatewayApiObject(object) || isIngress(object),
  isRead: (object) => isReadWithGatewayApi(object) || isReadWithIngress(object),
  translate: (read, config) => ({
    objects: [
      ...translateGatewayApi(read, { ...gatewayApiOptions(config), now: '' }).objects,
      ...translateIngress(read, config).objects,
    ],
  }),
};

const noDiagnostics: readonly Diagnostic[] = Object.freeze([]);

/** `group/Kind` of a key, in the form in which objects say it. */
function typeOfKey(key: ObjectKey): Pick<ConfigObject, 'apiVersion' | 'kind'> {
  const [group = '', kind = ''] = key.split('/', 2);
  return { apiVersion: group === '' ? 'v1' : `${group}/v1`, kind };
}

/**
 * What objects of a mesh (Gateway API and Ingress, if nothing else is said) mean in Istio's API, kept up to date. While there are none of them it
 * does nothing; then it translates anew whenever an object changes that the translation reads. Derived objects that come
 * out equal keep their identity.
 */
export class DerivedConfig {
  readonly #sources = new Set<ObjectKey>();
  #derived: ReadonlyMap<ObjectKey, ConfigObject> = new Map();
  #config: MeshConfig | undefined;
  #diagnostics = noDiagnostics;

  constructor(private readonly derivation: Derivation = gatewayApi) {}

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
    if (!concerned) return new Set();
    const { isRead, translate } = this.derivation;
    const translated = this.#sources.size === 0 ? undefined : translate([...objects.values()].filter(isRead), config);
    this.#diagnostics = translated?.diagnostics ?? noDiagnostics;
    return this.#replace(translated?.objects ?? [], objects);
  }

  /** The written objects with those derived from them. */
  over(written: ObjectsByKey): ObjectsByKey {
    return this.#derived.size === 0 ? written : new Layered(written, this.#derived);
  }

  /** What the last translation had to say. */
  diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  /** Whether some object is among the changed ones that the translation reads. */
  #takeKeys(objects: ReadonlyMap<ObjectKey, ConfigObject>, changedKeys: Iterable<ObjectKey> | undefined): boolean {
    const { isSource, isRead } = this.derivation;
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
