import { formatDiagnostic } from '@seine/diagnostics';
import type { Store } from '@seine/ports';
import { ObjectTable } from '@seine/registry';
import { FileSource } from '@seine/source-file';
import { MemoryStore } from '@seine/store-memory';

export interface ConfigDirsOptions {
  readonly folders: readonly string[];
  /** Is told of each problem once, as long as it lasts. */
  readonly onProblem: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** A mesh log of folders of YAML, which it watches. */
export class ConfigDirs {
  readonly store: Store = new MemoryStore();
  readonly #table = new ObjectTable();
  readonly #sources: readonly FileSource[];
  readonly #told = new Map<string, ReadonlySet<string>>();

  constructor(private readonly options: ConfigDirsOptions) {
    const { folders, onError } = options;
    this.#sources = folders.map((path) => new FileSource({ path, onError }));
  }

  /** Resolves when all folders are read. */
  async start(): Promise<void> {
    const { onProblem, onError } = this.options;
    for (const source of this.#sources) {
      await source.start((update) => {
        for (const [origin, diagnostics] of update.diagnostics) {
          const problems = new Set(diagnostics.map(formatDiagnostic));
          for (const problem of problems) if (!this.#told.get(origin)?.has(problem)) onProblem(problem);
          this.#told.set(origin, problems);
        }
        this.store.write(this.#table.apply(update)).catch(onError);
      });
    }
    await this.store.markSynced();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }
}
