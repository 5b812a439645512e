import type { Diagnostic } from '@seine/diagnostics';
import { isMeshConfigMap, readMeshConfigMap } from '@seine/istio';
import { type ConfigObject, type ObjectKey, objectKeyOf } from '@seine/k8s';
import { memo } from '@seine/memo';
import { type MeshConfig, type ParsedMeshConfig, withSpec } from '@seine/model';
import { compareText } from './fields.js';

/** Parsed once a version of the ConfigMap; validation has reported what is wrong in it. */
const configFrom = memo('meshConfigMap', (configMap: ConfigObject, base: MeshConfig): ParsedMeshConfig =>
  withSpec(base, readMeshConfigMap(configMap)),
);

/**
 * Finds the MeshConfig among the config objects: the ConfigMap `istio` of the root namespace, else the first
 * `istio-<revision>` there. The root namespace is that of the settings the control plane was started with.
 */
export class MeshConfigSource {
  readonly #candidates = new Map<ObjectKey, ConfigObject>();

  constructor(readonly base: MeshConfig) {}

  /** @param changedKeys the only keys that may differ from the last call; undefined: any may */
  update(objects: ReadonlyMap<ObjectKey, ConfigObject>, changedKeys: Iterable<ObjectKey> | undefined): void {
    if (!changedKeys) {
      this.#candidates.clear();
      for (const [key, object] of objects) this.#take(key, object);
    } else for (const key of changedKeys) this.#take(key, objects.get(key));
  }

  #take(key: ObjectKey, object: ConfigObject | undefined): void {
    if (
      object?.kind === 'ConfigMap' &&
      object.metadata.namespace === this.base.rootNamespace &&
      isMeshConfigMap(object)
    )
      this.#candidates.set(key, object);
    else this.#candidates.delete(key);
  }

  get config(): MeshConfig {
    const inForce = this.#inForce();
    return inForce ? configFrom(inForce, this.base).config : this.base;
  }

  #inForce(): ConfigObject | undefined {
    if (this.#candidates.size <= 1) return this.#candidates.values().next().value;
    const usual = this.#candidates.get(objectKeyOf('', 'ConfigMap', this.base.rootNamespace, 'istio'));
    return usual ?? [...this.#candidates.values()].sort((a, b) => compareText(a.metadata.name, b.metadata.name))[0];
  }

  /** That of several only one is in force. */
  diagnostics(): readonly Diagnostic[] {
    if (this.#candidates.size <= 1) return [];
    const inForce = this.#inForce();
    return [...this.#candidates.values()].flatMap((configMap) => {
      if (!inForce || configMap === inForce) return [];
      const { namespace, name } = configMap.metadata;
      const message = `This mesh config is not in force: that of ConfigMap ${namespace}/${inForce.metadata.name} is.`;
      return [
        { severity: 'warning', code: 'SEINE-UNSUPPORTED', message, object: { kind: 'ConfigMap', namespace, name } },
      ];
    });
  }
}
