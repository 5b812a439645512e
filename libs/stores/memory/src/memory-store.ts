import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepEqual, deepFreeze } from '@seine/memo';
import type { Change, LogEntry, Store, StoreEvent, StoreSnapshot } from '@seine/ports';

export interface MemoryStoreOptions {
  /** Entries kept for watchers that lag or come back; older ones cost a resync. */
  readonly logLength?: number;
  /** Is told of errors that listeners throw; they disturb nobody else. By default a process warning. */
  readonly onListenerError?: (error: unknown) => void;
}

interface Watcher {
  readonly listener: (event: StoreEvent) => void;
  /** The revision told last. */
  revision: number;
  telling: boolean;
}

/** The mesh log in the memory of one process: registry and pilot side by side, as on a laptop. */
export class MemoryStore implements Store {
  readonly #objects = new Map<ObjectKey, ConfigObject>();
  readonly #logLength: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #watchers = new Set<Watcher>();
  readonly #syncListeners = new Set<() => void>();
  #log: LogEntry[] = [];
  #revision = 0;
  #synced = false;
  #snapshot: StoreSnapshot | undefined;

  constructor(options: MemoryStoreOptions = {}) {
    this.#logLength = options.logLength ?? 1000;
    this.#onListenerError =
      options.onListenerError ??
      ((error) => {
        process.emitWarning(error instanceof Error ? error : String(error), 'StoreListenerError');
      });
  }

  write(changes: readonly Change[]): Promise<number> {
    const effective = this.#effective(changes);
    if (effective.length === 0) return Promise.resolve(this.#revision);
    for (const { key, object } of effective) {
      if (object) this.#objects.set(key, object);
      else this.#objects.delete(key);
    }
    const revision = ++this.#revision;
    this.#snapshot = undefined;
    this.#log.push(Object.freeze({ revision, changes: effective }));
    // Cutting at twice the length keeps the cost of an entry constant.
    if (this.#log.length >= 2 * this.#logLength) this.#log = this.#log.slice(-this.#logLength);
    for (const watcher of this.#watchers) this.#tell(watcher);
    return Promise.resolve(revision);
  }

  /** The last change of each key, without those that change nothing. */
  #effective(changes: readonly Change[]): readonly Change[] {
    const last = new Map(changes.map((change) => [change.key, change]));
    const real = [...last.values()].filter(({ key, object }) => !deepEqual(this.#objects.get(key), object));
    return Object.freeze(
      real.map(({ key, object }) => Object.freeze(object ? { key, object: deepFreeze(object) } : { key })),
    );
  }

  snapshot(): Promise<StoreSnapshot> {
    this.#snapshot ??= Object.freeze({ revision: this.#revision, objects: new Map(this.#objects) });
    return Promise.resolve(this.#snapshot);
  }

  watch(revision: number, listener: (event: StoreEvent) => void): () => void {
    const watcher: Watcher = { listener, revision, telling: false };
    this.#watchers.add(watcher);
    queueMicrotask(() => this.#tell(watcher));
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Hands a watcher all it has not seen. A write from within a listener is told after the entry at hand. */
  #tell(watcher: Watcher): void {
    if (watcher.telling) return;
    watcher.telling = true;
    while (this.#watchers.has(watcher) && watcher.revision !== this.#revision) {
      const [oldest] = this.#log;
      const entry = oldest && this.#log[watcher.revision + 1 - oldest.revision];
      if (entry) {
        watcher.revision = entry.revision;
        this.#call(() => watcher.listener({ type: 'entry', entry }));
      } else {
        this.#watchers.delete(watcher);
        const reason = `the log no longer holds what follows revision ${watcher.revision}`;
        this.#call(() => watcher.listener({ type: 'resync', reason }));
      }
    }
    watcher.telling = false;
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#onListenerError(error);
    }
  }

  markSynced(): Promise<void> {
    this.#synced = true;
    for (const listener of this.#syncListeners) {
      this.#syncListeners.delete(listener);
      this.#call(listener);
    }
    return Promise.resolve();
  }

  synced(): Promise<boolean> {
    return Promise.resolve(this.#synced);
  }

  onSynced(listener: () => void): () => void {
    this.#syncListeners.add(listener);
    if (this.#synced) {
      queueMicrotask(() => {
        if (this.#syncListeners.delete(listener)) this.#call(listener);
      });
    }
    return () => {
      this.#syncListeners.delete(listener);
    };
  }
}
