import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic, SourcePosition } from '@seine/diagnostics';
import { validateObject } from '@seine/istio';
import { type ConfigObject, fieldsOf, objectKey } from '@seine/k8s';
import { positionOf } from '@seine/source-file';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import type { ConfigApiTarget } from '../runtime/addresses.js';

/** What is to be analyzed, wherever it comes from. */
export interface AnalyzeSource {
  readonly objects: readonly ConfigObject[];
  /** What is wrong with each of them by itself. */
  readonly diagnostics: readonly Diagnostic[];
  readonly locate: (object: ConfigObject, field?: string) => SourcePosition | undefined;
  /** The text of a file, if it can be had. */
  readonly textOf: (file: string) => string | undefined;
  /** Whether nothing else may be running than what is in `objects`. */
  readonly complete: boolean;
}

/** Files, directories and `-` for standard input. */
export async function readSource(paths: readonly string[], io: Io): Promise<AnalyzeSource> {
  const { readManifests } = await import('../manifests/read-manifests.js');
  const { written, diagnostics, documents, textOf } = await readManifests(paths, io);
  const locate: AnalyzeSource['locate'] = (object, field) => {
    const document = documents.get(objectKey(object));
    return document && positionOf(document, field);
  };
  return { objects: written, diagnostics, locate, textOf, complete: false };
}

const fileOrigin = 'file:';

/** All that is in force in a running mesh. Objects from files are placed in them, where those can be read from here. */
export async function readLiveMesh(configApi: ConfigApiTarget, io: Io): Promise<AnalyzeSource> {
  const { connectConfigApi } = await import('../client/grpc-calls.js');
  const { readManifests } = await import('../manifests/read-manifests.js');
  const api = connectConfigApi(configApi);
  try {
    const [stored, told] = await Promise.all([api.listAll(), api.diagnostics()]);
    const files = new Set(
      stored.flatMap(({ origin }) => (origin.startsWith(fileOrigin) ? [origin.slice(fileOrigin.length)] : [])),
    );
    const there = [...files].filter((file) => path.isAbsolute(file) && existsSync(file));
    const { written, documents, textOf } = await readManifests(there, io);
    const inFile = new Set(written.map(objectKey));
    const origins = new Map(stored.map(({ object, origin }) => [objectKey(object), origin]));
    const locate: AnalyzeSource['locate'] = (object, field) => {
      const key = objectKey(object);
      const document = documents.get(key);
      return origins.get(key)?.startsWith(fileOrigin) && inFile.has(key) && document
        ? positionOf(document, field)
        : undefined;
    };
    // The registry tells what is wrong in files; applied objects it judged when they came.
    const applied = stored.filter(({ origin }) => !origin.startsWith(fileOrigin));
    const diagnostics = [
      ...told.filter(({ code }) => !code.startsWith('IST') && code !== 'SEINE-MIXER'),
      ...applied.flatMap(({ object }) => validateObject(object)),
    ];
    return { objects: stored.map(({ object }) => object), diagnostics, locate, textOf, complete: true };
  } finally {
    api.close();
  }
}

/** Settings of the mesh from a file of their own. */
export async function readSettings(
  file: string | undefined,
  io: Io,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (file === undefined) return undefined;
  const { parse } = await import('yaml');
  try {
    return fieldsOf(parse(readFileSync(path.resolve(io.cwd, file), 'utf8')));
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`, 1, { cause: error });
  }
}
