import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepEqual, deepFreeze } from '@seine/memo';
import type { Change, LogEntry, StoreEvent, StoreSnapshot } from '@seine/ports';

interface Watcher {
  readonly listener: (event: StoreEvent) => void;
  /** The revision told last. */
  revision: number;
  telling: boolean;
}

/** What this process knows of the log: its content at one revision, its last entries, and who is told of more. */
export class Mirror {
  #epoch = '';
  #revision = 0;
  #isLoaded = false;
  #isSynced = false;
  #objects = new Map<ObjectKey, ConfigObject>();
  #entries: LogEntry[] = [];
  #snapshot: StoreSnapshot | undefined;
  readonly #watchers = new Set<Watcher>();
  readonly #syncListeners = new Set<() => void>();

  constructor(
    private readonly logLength: number,
    private readonly onListenerError: (error: unknown) => void,
  ) {}

  /** Which log it is of; empty = of none yet. */
  get epoch(): string {
    return this.#epoch;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Redis has been looked at once. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get objects(): ReadonlyMap<ObjectKey, ConfigObject> {
    return this.#objects;
  }

  snapshot(): StoreSnapshot {
    return (this.#snapshot ??= Object.freeze({ revision: this.#revision, objects: new Map(this.#objects) }));
  }

  /** The last change of each key, without those that change nothing. */
  effective(changes: readonly Change[]): readonly Change[] {
    const last = new Map(changes.map((change) => [change.key, change]));
    return [...last.values()].filter(({ key, object }) => !deepEqual(this.#objects.get(key), object));
  }

  /** Takes the entry that follows; an older one is known already. */
  append(epoch: string, { revision, changes }: LogEntry): void {
    this.#epoch = epoch;
    if (revision !== this.#revision + 1) return;
    const frozen = changes.map(({ key, object }): Change =>
      Object.freeze(object ? { key, object: deepFreeze(object) } : { key }),
    );
    for (const { key, object } of frozen) {
      if (object) this.#objects.set(key, object);
      else this.#objects.delete(key);
    }
    this.#revision = revision;
    this.#snapshot = undefined;
    this.#entries.push(Object.freeze({ revision, changes: Object.freeze(frozen) }));
    if (this.#entries.length >= 2 * this.logLength) this.#entries = this.#entries.slice(-this.logLength);
    this.#tellAll();
  }

  /** Takes another log, or one of which it has missed too much. What is equal keeps its identity. */
  replace(
    epoch: string,
    revision: number,
    objects: ReadonlyMap<ObjectKey, ConfigObject>,
    entries: readonly LogEntry[],
  ): void {
    const isAnother = this.#epoch !== '' && this.#epoch !== epoch;
    const before = this.#objects;
    this.#objects = new Map(
      [...objects].map(([key, object]) => {
        const known = before.get(key);
        return [key, known && deepEqual(known, object) ? known : deepFreeze(object)];
      }),
    );
    this.#epoch = epoch;
    this.#revision = revision;
    this.#snapshot = undefined;
    this.#entries = entries.map((entry) => deepFreeze(entry));
    this.loaded();
    if (isAnother) for (const watcher of this.#watchers) this.#resync(watcher, 'the log was begun anew');
    this.#tellAll();
  }

  /** It is up to date, or there is nothing. */
  loaded(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    this.#tellAll();
  }

  synced(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    for (const listener of this.#syncListeners) {
      this.#syncListeners.delete(listener);
      this.#call(listener);
    }
  }

  watch(revision: number, listener: (event: StoreEvent) => void): () => void {
    const watcher: Watcher = { listener, revision, telling: false };
    this.#watchers.add(watcher);
    queueMicrotask(() => this.#tell(watcher));
    return () => void this.#watchers.delete(watcher);
  }

  onSynced(listener: () => void): () => void {
    this.#syncListeners.add(listener);
    if (this.#isSynced)
      queueMicrotask(() => {
        if (this.#syncListeners.delete(listener)) this.#call(listener);
      });
    return () => void this.#syncListeners.delete(listener);
  }

  #tellAll(): void {
    for (const watcher of this.#watchers) this.#tell(watcher);
  }

  /** Hands a watcher all it has not seen. What happens within a listener is told after the entry at hand. */
  #tell(watcher: Watcher): void {
    if (watcher.telling || !this.#isLoaded) return;
    watcher.telling = true;
    while (this.#watchers.has(watcher) && watcher.revision !== this.#revision) {
      const [oldest] = this.#entries;
      const entry = oldest && this.#entries[watcher.revision + 1 - oldest.revision];
      if (entry) {
        watcher.revision = entry.revision;
        this.#call(() => watcher.listener({ type: 'entry', entry }));
      } else this.#resync(watcher, `the log no longer holds what follows revision ${watcher.revision}`);
    }
    watcher.telling = false;
  }

  #resync(watcher: Watcher, reason: string): void {
    if (this.#watchers.delete(watcher)) this.#call(() => watcher.listener({ type: 'resync', reason }));
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.onListenerError(error);
    }
  }
}
