import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import type { Mesh, MeshConfig } from '@seine/model';
import type { LogEntry, Store } from '@seine/ports';
import { buildMesh } from './build-mesh.js';

/** A mesh and the log's revision that it reflects. */
export interface MeshVersion {
  readonly mesh: Mesh;
  readonly revision: number;
  readonly diagnostics: readonly Diagnostic[];
}

export type ChangeEvent = 'add' | 'update' | 'delete';

export interface MeshFeedOptions {
  readonly store: Store;
  readonly config: MeshConfig;
  /** Runs a function soon, after what is already waiting (setImmediate). */
  readonly schedule: (run: () => void) => void;
  /** Runs a function after a while: what failed is tried again then. */
  readonly later: (run: () => void) => void;
  readonly onMesh: (version: MeshVersion) => void;
  /** Is told what becomes of each object, as the log says it. */
  readonly onChange?: (key: ObjectKey, event: ChangeEvent) => void;
  /** Is told of bugs and of a store that cannot be read; the last mesh stays in force. */
  readonly onError: (error: unknown) => void;
}

/**
 * Follows the mesh log and hands on the mesh after each batch of changes. The one place that coalesces: the first
 * change goes at once, and what arrives while the last is being worked on goes together next.
 */
export class MeshFeed {
  #objects = new Map<ObjectKey, ConfigObject>();
  #mesh: Mesh | undefined;
  #revision = 0;
  #changed: Set<ObjectKey> | undefined;
  #stopWatch: (() => void) | undefined;

  #stopped = false;

  constructor(private readonly options: MeshFeedOptions) {}

  /** Reads the whole log's state, hands on the first mesh, and follows. */
  async start(): Promise<void> {
    const { revision, objects } = await this.options.store.snapshot();
    if (this.#stopped) return;
    this.#objects = new Map(objects);
    this.#revision = revision;
    this.#build(undefined);
    this.#stopWatch = this.options.store.watch(revision, (event) => {
      if (event.type === 'entry') this.#take(event.entry);
      else this.#resync();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch();
  }

  #unwatch(): void {
    this.#stopWatch?.();
    this.#stopWatch = undefined;
  }

  /** Starts again from a snapshot; while none is to be had, the last mesh stays in force. */
  #resync(): void {
    this.#unwatch();
    this.start().catch((error: unknown) => {
      this.options.onError(error);
      this.options.later(() => {
        if (!this.#stopped) this.#resync();
      });
    });
  }

  #take(entry: LogEntry): void {
    for (const { key, object } of entry.changes) {
      this.options.onChange?.(key, object ? (this.#objects.has(key) ? 'update' : 'add') : 'delete');
      if (object) this.#objects.set(key, object);
      else this.#objects.delete(key);
    }
    this.#revision = entry.revision;
    const keys = entry.changes.map((change) => change.key);
    if (this.#changed) {
      for (const key of keys) this.#changed.add(key);
      return;
    }
    const changed = new Set(keys);
    this.#changed = changed;
    this.options.schedule(() => {
      this.#changed = undefined;
      this.#build(changed);
    });
  }

  /** A mesh that cannot be made or taken is a bug of ours: it is reported, and the last one stays in force. */
  #build(changed: Iterable<ObjectKey> | undefined): void {
    const { config, onMesh, onError } = this.options;
    try {
      const { mesh, diagnostics } = buildMesh(this.#mesh, this.#objects, config, changed);
      this.#mesh = mesh;
      onMesh({ mesh, diagnostics, revision: this.#revision });
    } catch (error) {
      // What was learned from the changed keys alone may be half taken in: the next mesh is made from everything.
      this.#mesh = undefined;
      onError(error);
    }
  }
}
