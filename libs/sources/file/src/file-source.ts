import fs from 'node:fs';
import path from 'node:path';
import type { Diagnostic } from '@seine/diagnostics';
import type { ObjectKey } from '@seine/k8s';
import type { Origin, Source, SourcedObject, SourceUpdate } from '@seine/ports';
import { ConfigPathError } from './config-files.js';
import { type FileReading, FileState } from './file-state.js';
import { FolderWatcher } from './folder-watcher.js';
import { parseChunks } from './parse-config.js';
import { readFileText } from './read-file.js';

export interface FileSourceOptions {
  /** A folder (with all below it) or one file. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds until missing objects are looked for again, and deleted if still missing. */
  readonly confirmAfter?: number;
  /** Is told of an error that the sink throws; by default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** Parsing goes on this long, in milliseconds, before others get their turn. */
const slice = 10;

export function originOfFile(file: string): Origin {
  return `file:${file}`;
}

interface WatchedFile {
  readonly state: FileState;
  text: string | undefined;
  confirmation: NodeJS.Timeout | undefined;
}

interface Batch {
  readonly put: SourcedObject[];
  readonly deleted: { readonly key: ObjectKey; readonly origin: Origin }[];
  readonly diagnostics: Map<Origin, readonly Diagnostic[]>;
}

/**
 * Config as files: YAML and JSON below a folder, followed by the file system's events. An event is handled in the turn
 * of the event loop in which it comes; what comes in the same turn goes together. Only changed files are read, only
 * changed documents are parsed, only changed objects are told.
 *
 * Objects that a changed file no longer has are deleted after a second look (`confirmAfter`), because editors empty,
 * replace and rename files while they save.
 */
export class FileSource implements Source {
  readonly name: string;
  readonly #path: string;
  readonly #options: Required<Pick<FileSourceOptions, 'now' | 'confirmAfter' | 'onError'>>;
  readonly #files = new Map<string, WatchedFile>();
  readonly #changed = new Set<string>();
  readonly #confirmed = new Set<string>();
  readonly #problems = new Map<string, Diagnostic | undefined>();
  #watcher: FolderWatcher | undefined;
  #sink: ((update: SourceUpdate) => void) | undefined;
  #working = false;
  #started = false;

  constructor(options: FileSourceOptions) {
    this.#path = path.resolve(options.path);
    this.name = originOfFile(this.#path);
    this.#options = {
      now: options.now ?? Date.now,
      confirmAfter: options.confirmAfter ?? 20,
      onError:
        options.onError ??
        ((error) => {
          process.emitWarning(error instanceof Error ? error : String(error), 'FileSourceError');
        }),
    };
  }

  /** @throws ConfigPathError when the folder is not there at the start, Error when it cannot be read */
  async start(sink: (update: SourceUpdate) => void): Promise<void> {
    const stat = fs.statSync(this.#path, { throwIfNoEntry: false });
    if (!stat) throw new ConfigPathError(`Config folder ${this.#path} does not exist.`);
    fs.accessSync(this.#path, stat.isDirectory() ? fs.constants.R_OK | fs.constants.X_OK : fs.constants.R_OK);
    const [root, only] = stat.isDirectory() ? [this.#path] : [path.dirname(this.#path), this.#path];
    this.#sink = sink;
    this.#watcher = new FolderWatcher(
      root,
      {
        onFile: (file) => this.#touch(file),
        onFolder: (folder) => this.#touchFolder(folder),
        onProblem: (folder, error) => this.#setProblem(folder, error),
      },
      only,
    );
    this.#watcher.start();
    await this.#work();
  }

  stop(): Promise<void> {
    this.#sink = undefined;
    this.#watcher?.stop();
    for (const { confirmation } of this.#files.values()) clearTimeout(confirmation);
    return Promise.resolve();
  }

  #touch(file: string): void {
    this.#changed.add(file);
    this.#schedule();
  }

  #touchFolder(folder: string): void {
    for (const file of this.#files.keys()) if (file.startsWith(folder + path.sep)) this.#changed.add(file);
    this.#schedule();
  }

  #setProblem(folder: string, error: Error | undefined): void {
    const message = `The folder is not watched but looked at once a second (${error?.message ?? ''}).`;
    this.#problems.set(
      folder,
      error && { severity: 'warning', code: 'SEINE-WATCH', message, position: { file: folder, line: 1 } },
    );
    this.#schedule();
  }

  /** The poll phase of the loop hands over all events that are there; the check phase, right after it, handles them. */
  #schedule(): void {
    if (!this.#started || this.#working) return;
    this.#working = true;
    setImmediate(() => {
      this.#work().catch(this.#options.onError);
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      do {
        const batch: Batch = { put: [], deleted: [], diagnostics: new Map() };
        const files = [...this.#changed].sort();
        this.#changed.clear();
        for (const file of files) await this.#readFile(file, batch);
        this.#takeProblems(batch);
        if (!this.#started || batch.put.length > 0 || batch.deleted.length > 0 || batch.diagnostics.size > 0)
          this.#tell(batch);
        this.#started = true;
      } while (this.#changed.size > 0 && this.#sink);
    } finally {
      this.#working = false;
    }
  }

  #tell(batch: Batch): void {
    try {
      this.#sink?.(batch);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #takeProblems(batch: Batch): void {
    for (const [folder, problem] of this.#problems)
      batch.diagnostics.set(originOfFile(folder), problem ? [problem] : []);
    this.#problems.clear();
  }

  async #readFile(file: string, batch: Batch): Promise<void> {
    const confirmed = this.#confirmed.delete(file);
    const read = readFileText(file);
    let watched = this.#files.get(file);
    if (!watched) {
      if (read.type === 'absent') return;
      this.#files.set(file, (watched = { state: new FileState(file), text: undefined, confirmation: undefined }));
    }
    const text = read.type === 'text' ? read.text : undefined;
    if (text !== undefined && text === watched.text && !confirmed) return;
    watched.text = text;
    const reading = read.type === 'text' ? await this.#parse(watched.state, read.text) : this.#absence(read);
    const change = watched.state.apply(reading, confirmed);

    const origin = originOfFile(file);
    const changedAt = !this.#started && read.type === 'text' ? read.modifiedAt : this.#options.now();
    for (const object of change.put) batch.put.push({ object, origin, changedAt });
    for (const key of change.deleted) batch.deleted.push({ key, origin });
    batch.diagnostics.set(origin, change.diagnostics);
    this.#confirmLater(file, watched, change.unconfirmed);
    if (read.type === 'absent' && watched.state.isEmpty) this.#files.delete(file);
  }

  /** A file is gone for good only if its folder is still there to say so. */
  #absence(read: Exclude<ReturnType<typeof readFileText>, { type: 'text' }>): FileReading {
    if (read.type === 'refused' || fs.existsSync(this.#path)) return read;
    const message = `${this.#path} is gone; what was read from it stays in force until it is back.`;
    const position = { file: this.#path, line: 1 };
    return { type: 'refused', diagnostic: { severity: 'error', code: 'SEINE-FILE', message, position } };
  }

  async #parse(state: FileState, text: string): Promise<FileReading> {
    if (text.trim() === '') return { type: 'absent' };
    const run = parseChunks(text, state.chunks);
    let until = performance.now() + slice;
    let step = run.next();
    while (!step.done) {
      if (performance.now() > until) {
        await new Promise((resolve) => setImmediate(resolve));
        until = performance.now() + slice;
      }
      step = run.next();
    }
    return { type: 'text', chunks: step.value };
  }

  #confirmLater(file: string, watched: WatchedFile, unconfirmed: boolean): void {
    if (!unconfirmed) {
      clearTimeout(watched.confirmation);
      watched.confirmation = undefined;
      return;
    }
    watched.confirmation ??= setTimeout(() => {
      watched.confirmation = undefined;
      this.#confirmed.add(file);
      this.#touch(file);
    }, this.#options.confirmAfter);
  }
}
