import type { Diagnostic } from '@seine/diagnostics';
import { type Derivation, DerivedConfig, type ObjectsByKey } from '@seine/gateway-api';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { isLegacySecurity, isReadWithLegacySecurity, translateLegacySecurity } from '@seine/legacy-security';
import type { MeshConfig } from '@seine/model';

/** Security kinds of Istio 1.0 to 1.5. */
const legacySecurity: Derivation = {
  isSource: isLegacySecurity,
  isRead: isReadWithLegacySecurity,
  translate: translateLegacySecurity,
};

/** All that acts as what it means in Istio's API of today, kept up to date. */
export class Derivations {
  readonly #all: readonly DerivedConfig[] = [new DerivedConfig(), new DerivedConfig(legacySecurity)];

  /** As `DerivedConfig.update`. */
  update(
    objects: ReadonlyMap<ObjectKey, ConfigObject>,
    changedKeys: ReadonlySet<ObjectKey> | undefined,
    config: MeshConfig,
  ): ReadonlySet<ObjectKey> {
    const changed = this.#all.map((derived) => derived.update(objects, changedKeys, config));
    return changed.reduce((a, b) => (b.size === 0 ? a : new Set([...a, ...b])));
  }

  /** The written objects with those derived from them. */
  over(written: ReadonlyMap<ObjectKey, ConfigObject>): ObjectsByKey {
    return this.#all.reduce<ObjectsByKey>((objects, derived) => derived.over(objects), written);
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#all.flatMap((derived) => derived.diagnostics());
  }
}
