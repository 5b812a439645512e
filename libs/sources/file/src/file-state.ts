import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { deepEqual } from '@seine/memo';
import { duplicateDiagnostics } from './duplicates.js';
import type { ParsedChunk } from './parse-chunk.js';
import { type PlacedChunk, placeItems, type PlacedItem } from './placed-items.js';

/** What a file says now, or why it says nothing. */
export type FileReading =
  | { readonly type: 'text'; readonly chunks: readonly PlacedChunk[] }
  /** Gone, or empty. */
  | { readonly type: 'absent' }
  /** There, but not to be read: too large, not text, no permission. */
  | { readonly type: 'refused'; readonly diagnostic: Diagnostic };

export interface FileChange {
  readonly put: readonly ConfigObject[];
  readonly deleted: readonly ObjectKey[];
  /** All that is in force for the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Objects are missing; they stay in force until a second reading confirms that. */
  readonly unconfirmed: boolean;
}

interface InForce {
  readonly object: ConfigObject;
  readonly chunk: string;
}

/**
 * What is in force of one file. A broken document leaves the last good version of its object in force; while a document
 * cannot even be read so far as to tell what it is about, no object of the file goes away, since it may be that one.
 */
export class FileState {
  #chunks: ReadonlyMap<string, ParsedChunk> = new Map();
  #inForce: ReadonlyMap<ObjectKey, InForce> = new Map();

  constructor(readonly file: string) {}

  /** Parsed chunks by their text, so that an edit costs only the documents it touches. */
  get chunks(): ReadonlyMap<string, ParsedChunk> {
    return this.#chunks;
  }

  /** Nothing of the file is in force. */
  get isEmpty(): boolean {
    return this.#inForce.size === 0;
  }

  /** @param confirmed this is the second reading: what is missing is really gone */
  apply(reading: FileReading, confirmed: boolean): FileChange {
    const items = reading.type === 'text' ? placeItems(reading.chunks, this.file) : [];
    const good = groupByKey(items);
    const broken = new Set(items.filter(({ item }) => !item.object).map(({ item }) => item.identity?.key));
    const keepsAll = reading.type === 'refused' || broken.has(undefined);
    const diagnostics = items.flatMap((item) => item.diagnostics);
    if (reading.type === 'refused') diagnostics.push(reading.diagnostic);

    const next = new Map<ObjectKey, InForce>();
    for (const [key, candidates] of good) {
      const winner = this.#winner(key, candidates);
      const object = winner.item.object;
      if (!object) continue;
      const before = this.#inForce.get(key)?.object;
      next.set(key, { object: before && deepEqual(before, object) ? before : object, chunk: winner.document.text });
      diagnostics.push(...duplicateDiagnostics(winner, candidates));
    }
    const deleted: ObjectKey[] = [];
    let unconfirmed = false;
    for (const [key, entry] of this.#inForce) {
      if (next.has(key)) continue;
      if (keepsAll || broken.has(key)) {
        // Without its text: that would hold on to a whole earlier version of the file.
        next.set(key, { ...entry, chunk: '' });
        diagnostics.push(this.#lastGood(entry.object));
      } else if (confirmed) deleted.push(key);
      else {
        next.set(key, entry);
        unconfirmed = true;
      }
    }
    const put = [...next].filter(([key, { object }]) => this.#inForce.get(key)?.object !== object);
    this.#inForce = next;
    if (reading.type === 'text') this.#chunks = new Map(reading.chunks.map(({ text, parsed }) => [text, parsed]));
    else if (reading.type === 'absent') this.#chunks = new Map();
    return { put: put.map(([, { object }]) => object), deleted, diagnostics, unconfirmed };
  }

  /** Of several definitions: the one just edited, else the one in force, else the last. */
  #winner(key: ObjectKey, candidates: readonly [PlacedItem, ...PlacedItem[]]): PlacedItem {
    const inForce = this.#inForce.get(key);
    const edited = inForce && candidates.filter(({ document }) => !this.#chunks.has(document.text)).at(-1);
    const held = candidates.find(({ document }) => document.text === inForce?.chunk);
    return edited ?? held ?? candidates.at(-1) ?? candidates[0];
  }

  #lastGood(object: ConfigObject): Diagnostic {
    const { name, namespace } = object.metadata;
    return {
      severity: 'info',
      code: 'SEINE-LAST-GOOD',
      message: `The last good version stays in force until ${this.file} is corrected.`,
      object: { kind: object.kind, namespace: namespace || undefined, name },
    };
  }
}

function groupByKey(items: readonly PlacedItem[]): ReadonlyMap<ObjectKey, readonly [PlacedItem, ...PlacedItem[]]> {
  const groups = new Map<ObjectKey, [PlacedItem, ...PlacedItem[]]>();
  for (const placed of items) {
    const key = placed.item.object && placed.item.identity?.key;
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(placed);
    else groups.set(key, [placed]);
  }
  return groups;
}
