import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic } from '@seine/diagnostics';
import { objectKey, type ConfigObject, type ObjectKey } from '@seine/k8s';
import { parseConfig, positionOf, readConfigPath, type ConfigDocument, type ParsedConfig } from '@seine/source-file';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import { renderDiagnostic } from '../output/excerpt.js';
import type { Output } from '../output/output.js';

const stdinName = 'stdin';

/** The objects of the files on a command line, and enough to show where things stand in them. */
export interface Manifests {
  /** Those in which nothing is wrong; of several of one name the last. */
  readonly objects: readonly ConfigObject[];
  /** Those, and the others as far as they can be read. */
  readonly written: readonly ConfigObject[];
  readonly diagnostics: readonly Diagnostic[];
  readonly documents: ReadonlyMap<ObjectKey, ConfigDocument>;
  /** The text of a file that a diagnostic names, if it can be had. */
  readonly textOf: (file: string) => string | undefined;
}

/**
 * Reads files, directories and `-` for standard input.
 * @throws CommandError when there is nothing at a path
 */
export async function readManifests(paths: readonly string[], io: Io): Promise<Manifests> {
  const objects = new Map<ObjectKey, ConfigObject>();
  const written = new Map<ObjectKey, ConfigObject>();
  const documents = new Map<ObjectKey, ConfigDocument>();
  const diagnostics: Diagnostic[] = [];
  let stdin: string | undefined;
  for (const each of paths) {
    if (each === '-') stdin ??= await io.readStdin();
    const parsed = each === '-' ? parseConfig(stdin ?? '', stdinName) : readPath(each, io);
    for (const object of parsed.objects) objects.set(objectKey(object), object);
    for (const object of parsed.written) written.set(objectKey(object), object);
    for (const [key, document] of parsed.positions) documents.set(key, document);
    diagnostics.push(...parsed.diagnostics);
  }
  const textOf = (file: string): string | undefined =>
    file === stdinName ? stdin : readText(path.resolve(io.cwd, file));
  return { objects: [...objects.values()], written: [...written.values()], diagnostics, documents, textOf };
}

function readPath(each: string, io: Io): ParsedConfig {
  if (!existsSync(path.resolve(io.cwd, each))) throw new CommandError(`there is no file or directory ${each}`);
  try {
    return readConfigPath(io.cwd === process.cwd() ? each : path.resolve(io.cwd, each));
  } catch (error) {
    throw new CommandError(`cannot read ${each}: ${(error as Error).message}`, 1, { cause: error });
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Only the excerpt is lost: the diagnostic names file and line all the same.
    return undefined;
  }
}

/**
 * Tells diagnostics on stderr with an excerpt; those that name only an object and field are given their place.
 * @returns whether one of them is an error
 */
export function printDiagnostics(diagnostics: readonly Diagnostic[], manifests: Manifests, output: Output): boolean {
  const texts = new Map<string, string | undefined>();
  for (const given of diagnostics) {
    const diagnostic = withPosition(given, manifests);
    const file = diagnostic.position?.file;
    if (file !== undefined && !texts.has(file)) texts.set(file, manifests.textOf(file));
    const text = file === undefined ? undefined : texts.get(file);
    output.progress(renderDiagnostic(diagnostic, text, output.paintErr).trimEnd());
  }
  return diagnostics.some((d) => d.severity === 'error');
}

function withPosition(diagnostic: Diagnostic, manifests: Manifests): Diagnostic {
  const { object, position, path: field } = diagnostic;
  if (position || !object) return diagnostic;
  const key = manifests.objects
    .filter((o) => o.kind === object.kind && o.metadata.name === object.name)
    .map((o) => ({ key: objectKey(o), namespace: o.metadata.namespace }))
    .find((o) => object.namespace === undefined || o.namespace === object.namespace)?.key;
  const document = key === undefined ? undefined : manifests.documents.get(key);
  return document ? { ...diagnostic, position: positionOf(document, field) } : diagnostic;
}
