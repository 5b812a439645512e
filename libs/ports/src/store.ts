import type { ConfigObject, ObjectKey } from '@seine/k8s';

/** One object put or deleted. `object` is the whole new object; absent for a delete. */
export interface Change {
  readonly key: ObjectKey;
  readonly object?: ConfigObject | undefined;
}

/** One entry of the mesh log: what changed together. Revisions rise by one from 1. */
export interface LogEntry {
  readonly revision: number;
  readonly changes: readonly Change[];
}

export interface StoreSnapshot {
  readonly revision: number;
  readonly objects: ReadonlyMap<ObjectKey, ConfigObject>;
}

/** What a watcher is told: entries in order, or that it must start again from a snapshot. */
export type StoreEvent =
  { readonly type: 'entry'; readonly entry: LogEntry } | { readonly type: 'resync'; readonly reason: string };

/**
 * The mesh log: an ordered, versioned stream of object changes and a snapshot. The registry's leader writes, pilots read.
 */
export interface Store {
  /** Appends one entry; it is in force when the promise resolves. Equal objects are dropped; nothing left = no entry. @returns the revision after the write */
  write(changes: readonly Change[]): Promise<number>;
  snapshot(): Promise<StoreSnapshot>;
  /**
   * Calls `listener` for each entry after `revision`, at once for those already there. A `resync` ends the watch.
   * @returns stops the watch
   */
  watch(revision: number, listener: (event: StoreEvent) => void): () => void;
  /** Whether the sources have filled it once; a pilot serves nobody before. */
  markSynced(): Promise<void>;
  synced(): Promise<boolean>;
  onSynced(listener: () => void): () => void;
}
