import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import { duplicateDiagnostics } from './duplicates.js';
import { type ParsedChunk, parseChunk } from './parse-chunk.js';
import { type ConfigDocument, type PlacedChunk, placeItems, type PlacedItem } from './placed-items.js';
import { splitDocuments } from './split-documents.js';

export interface ParsedConfig {
  /** Objects in which nothing is wrong, in order; of several of one name the last. */
  readonly objects: readonly ConfigObject[];
  /**
   * Those and, as far as they can be read, the objects in which something is wrong: for analysis, to which an object that
   * is broken is there all the same.
   */
  readonly written: readonly ConfigObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Where each of `written` stands. */
  readonly positions: ReadonlyMap<ObjectKey, ConfigDocument>;
}

/**
 * Parses a text chunk by chunk, stopping after each so that a caller can let others work in between. Chunks whose text
 * `known` has are not parsed again.
 */
export function* parseChunks(
  text: string,
  known: ReadonlyMap<string, ParsedChunk>,
): Generator<undefined, readonly PlacedChunk[]> {
  const placed: PlacedChunk[] = [];
  for (const chunk of splitDocuments(text)) {
    const parsed = known.get(chunk.text);
    placed.push({ ...chunk, parsed: parsed ?? parseChunk(chunk.text) });
    if (!parsed) yield;
  }
  return placed;
}

/**
 * Parses and validates YAML or JSON config: any number of documents, `List` kinds taken apart. A broken document is
 * told by file, line and caret and disturbs no other.
 * @param fileName what diagnostics call the text
 */
export function parseConfig(text: string, fileName: string): ParsedConfig {
  const run = parseChunks(text, new Map());
  let step = run.next();
  while (!step.done) step = run.next();
  return mergeItems(placeItems(step.value, fileName));
}

/** The objects of many items; of several that define one object the last counts, and each of them is told. */
export function mergeItems(items: readonly PlacedItem[]): ParsedConfig {
  const diagnostics = items.flatMap((item) => item.diagnostics);
  const byKey = new Map<ObjectKey, PlacedItem[]>();
  for (const placed of items) {
    const key = placed.item.object && placed.item.identity?.key;
    if (key === undefined) continue;
    const same = byKey.get(key);
    if (same) same.push(placed);
    else byKey.set(key, [placed]);
  }
  const objects: ConfigObject[] = [];
  const positions = new Map<ObjectKey, ConfigDocument>();
  for (const [key, same] of byKey) {
    const winner = same.at(-1);
    if (!winner?.item.object) continue;
    objects.push(winner.item.object);
    positions.set(key, winner.document);
    diagnostics.push(...duplicateDiagnostics(winner, same));
  }
  const written = [...objects];
  for (const { item, document } of items) {
    const key = item.identity?.key;
    if (!item.written || key === undefined || positions.has(key)) continue;
    written.push(item.written);
    positions.set(key, document);
  }
  return { objects, written, diagnostics, positions };
}
