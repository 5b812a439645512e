import type { Diagnostic, SourcePosition } from '@seine/diagnostics';
import { LineCounter, parseAllDocuments } from 'yaml';
import { type FieldPath, parseFieldPath, positionInDocument } from './field-path.js';
import { type ParsedChunk, type ParsedItem, yamlOptions } from './parse-chunk.js';

/** Where an object stands: enough to find any of its fields again. */
export interface ConfigDocument {
  readonly file: string;
  /** First line of `text` in the file. */
  readonly line: number;
  readonly text: string;
  readonly documentIndex: number;
  /** Where in the document: the item of a `List`. */
  readonly path: FieldPath;
}

/** One stretch of a file with what it says. */
export interface PlacedChunk {
  readonly text: string;
  readonly line: number;
  readonly parsed: ParsedChunk;
}

/** One object, or what should have been one, with its place in a file. */
export interface PlacedItem {
  readonly item: ParsedItem;
  readonly document: ConfigDocument;
  /** With positions in the file. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Gives the items of a file's chunks their places in the file. */
export function placeItems(chunks: readonly PlacedChunk[], file: string): readonly PlacedItem[] {
  return chunks.flatMap(({ text, line, parsed }) =>
    parsed.map((item) => ({
      item,
      document: { file, line, text, documentIndex: item.documentIndex, path: item.path },
      diagnostics: item.diagnostics.map((diagnostic) =>
        diagnostic.position
          ? { ...diagnostic, position: { ...diagnostic.position, file, line: diagnostic.position.line + line - 1 } }
          : diagnostic,
      ),
    })),
  );
}

/** Where a field (`spec.http[0].route`) stands, or the nearest thing above it that is written; without path, the object. */
export function positionOf(document: ConfigDocument, path?: string): SourcePosition {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(document.text, { ...yamlOptions, lineCounter: lines });
  const found = parsed[document.documentIndex];
  if (!found) return { file: document.file, line: document.line, column: 1 };
  const { line, column } = positionInDocument(
    found,
    lines,
    [...document.path, ...parseFieldPath(path ?? '')],
    document.text,
  );
  return { file: document.file, line: document.line + line - 1, column };
}
