import { type Diagnostic, hasErrors } from '@seine/diagnostics';
import { validateObject } from '@seine/istio';
import { type ConfigObject, seemsSecret } from '@seine/k8s';
import { deepFreeze } from '@seine/memo';
import { type Document, LineCounter, parseAllDocuments, type ParseOptions } from 'yaml';
import { type FieldPath, parseFieldPath, positionInDocument } from './field-path.js';
import { restoreTrailingColons } from './flow-colon.js';
import { expandLists, type Identity, identityOf, missingIdentity, type RawObject, readObject } from './read-object.js';

/** What a chunk says of one object. Lines in diagnostics count from the start of the chunk, and name no file. */
export interface ParsedItem {
  /** Undefined where not even that can be read. */
  readonly identity: Identity | undefined;
  /** Undefined where anything is wrong. */
  readonly object: ConfigObject | undefined;
  /** The object as far as it can be read, whatever is wrong with its fields. */
  readonly written: ConfigObject | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly documentIndex: number;
  readonly path: FieldPath;
}

/** A chunk's content, independent of where in which file it stands: kept while its text stays the same. */
export type ParsedChunk = readonly ParsedItem[];

/** Anchors may be used this often in one document: enough for people, too few for a document that explodes. */
const maxAliasCount = 100;

export const yamlOptions: ParseOptions = { prettyErrors: false, uniqueKeys: true };

function syntaxDiagnostic(text: string, message: string, line: number, column: number): Diagnostic {
  const position = { file: '', line, column };
  // What the parser says may repeat what it read.
  if (seemsSecret(text))
    return { severity: 'error', code: 'SEINE-YAML', message: 'The YAML of this Secret cannot be parsed.', position };
  const source = (text.split('\n')[line - 1] ?? '').replace(/\r$/, '').slice(0, 160);
  const caret = column <= 160 ? `\n${source}\n${' '.repeat(column - 1)}^` : '';
  return { severity: 'error', code: 'SEINE-YAML', message: `${message}${caret}`, position };
}

function broken(documentIndex: number, diagnostics: readonly Diagnostic[], identity?: Identity): ParsedItem {
  const object = identity?.ref;
  return {
    identity,
    object: undefined,
    written: undefined,
    diagnostics: object ? diagnostics.map((d) => ({ ...d, object })) : diagnostics,
    documentIndex,
    path: [],
  };
}

/** What a document with syntax errors is about, if that much of it can be read. */
function identityOfBroken(document: Document.Parsed): Identity | undefined {
  try {
    return identityOf(document.toJS({ maxAliasCount }));
  } catch {
    // The part that could be parsed does not resolve either: then the document is about nothing we could name.
    return undefined;
  }
}

function parseItem(
  { value, path }: RawObject,
  documentIndex: number,
  document: Document.Parsed,
  lines: LineCounter,
  text: string,
): ParsedItem {
  const identity = identityOf(value);
  const object = identity && deepFreeze(readObject(value, identity));
  const found = object ? validateObject(object) : [missingIdentity(value)];
  const diagnostics = found.map((diagnostic) => ({
    ...diagnostic,
    object: diagnostic.object ?? identity?.ref,
    position: {
      file: '',
      ...positionInDocument(document, lines, [...path, ...parseFieldPath(diagnostic.path ?? '')], text),
    },
  }));
  const inForce = hasErrors(diagnostics) ? undefined : object;
  return { identity, object: inForce, written: object, diagnostics, documentIndex, path };
}

function parseDocument(
  document: Document.Parsed,
  index: number,
  text: string,
  lines: LineCounter,
): readonly ParsedItem[] {
  if (document.errors.length > 0) {
    // One error brings others in its train, further on; only the first is surely about what is written.
    const [first] = document.errors;
    // What is left open is noticed at the end: the last line that says something is nearer to it than the next marker.
    const { line, col } = lines.linePos(Math.min(first?.pos[0] ?? 0, text.trimEnd().length));
    const errors = [syntaxDiagnostic(text, first?.message ?? '', Math.max(line, 1), Math.max(col, 1))];
    return [broken(index, errors, identityOfBroken(document))];
  }
  const value: unknown = document.toJS({ maxAliasCount });
  if (value === null || value === undefined) return [];
  return expandLists(value).map((raw) => parseItem(raw, index, document, lines, text));
}

/** Parses one chunk. Never throws: what cannot be read, for whatever reason, becomes a diagnostic. */
export function parseChunk(text: string): ParsedChunk {
  const lines = new LineCounter();
  let index = 0;
  const items: ParsedItem[] = [];
  try {
    for (const document of parseAllDocuments(text, { ...yamlOptions, lineCounter: lines, merge: true })) {
      try {
        restoreTrailingColons(document, text);
        items.push(...parseDocument(document, index, text, lines));
      } catch (error) {
        items.push(broken(index, [unresolvable(error, document, lines)]));
      }
      index++;
    }
  } catch (error) {
    items.push(broken(index, [syntaxDiagnostic(text, reasonOf(error), 1, 1)]));
  }
  return items;
}

/** The parser gives up by exceptions on too many aliases and on nesting deeper than its stack. */
function unresolvable(error: unknown, document: Document.Parsed, lines: LineCounter): Diagnostic {
  const position = { file: '', ...positionInDocument(document, lines, [], '') };
  return { severity: 'error', code: 'SEINE-YAML', message: reasonOf(error), position };
}

function reasonOf(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'RangeError') return 'The document is nested too deeply.';
  if (name === 'ReferenceError') return `The document cannot be resolved: ${message}.`;
  return `The document cannot be parsed: ${message}.`;
}
