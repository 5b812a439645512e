import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, ObjectKey } from '@seine/k8s';

/** Where an object came from: `file:/abs/path.yaml`, `applied`, `kubernetes`. */
export type Origin = string;

export interface SourcedObject {
  readonly object: ConfigObject;
  readonly origin: Origin;
  /** Milliseconds since the epoch of the change at its origin: the later of two origins wins. */
  readonly changedAt: number;
}

/** Everything one source says changed together. */
export interface SourceUpdate {
  readonly put: readonly SourcedObject[];
  readonly deleted: readonly { readonly key: ObjectKey; readonly origin: Origin }[];
  /** All diagnostics now in force for the origins named here; they replace the earlier ones of the same origin. */
  readonly diagnostics: ReadonlyMap<Origin, readonly Diagnostic[]>;
}

/** A platform adapter: reports its whole content once, then changes. */
export interface Source {
  readonly name: string;
  /** Resolves when the first full view has been handed to `sink`. */
  start(sink: (update: SourceUpdate) => void): Promise<void>;
  stop(): Promise<void>;
}
