import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** What the agent keeps for its next start. */
export type RecordKind = 'certificates' | 'workloads' | 'volumes' | 'bundles';

/** Small records by kind and key. Values are plain JSON. */
export interface RecordStore {
  put(kind: RecordKind, key: string, value: object): void;
  get(kind: RecordKind, key: string): unknown;
  delete(kind: RecordKind, key: string): void;
  list(kind: RecordKind): readonly unknown[];
}

const folderMode = 0o700;
const fileMode = 0o600;

/** An agent without a state directory keeps nothing. */
export const noRecords: RecordStore = {
  put: () => undefined,
  get: () => undefined,
  delete: () => undefined,
  list: () => [],
};

/** Records as files that only the agent's user can read: `<folder>/<kind>/<hash of the key>.json`. */
export class RecordDirectory implements RecordStore {
  /** @param onBroken is told of a file that cannot be read; it counts as none */
  constructor(
    private readonly folder: string,
    private readonly onBroken: (message: string) => void,
  ) {}

  /** Replaces the file as a whole: a crash leaves the old one or the new one. @throws Error when it cannot be written */
  put(kind: RecordKind, key: string, value: object): void {
    const file = this.#file(kind, key);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: folderMode });
    const draft = `${file}.${randomUUID()}`;
    fs.writeFileSync(draft, JSON.stringify(value), { mode: fileMode });
    fs.renameSync(draft, file);
  }

  get(kind: RecordKind, key: string): unknown {
    return this.#read(this.#file(kind, key));
  }

  delete(kind: RecordKind, key: string): void {
    fs.rmSync(this.#file(kind, key), { force: true });
  }

  list(kind: RecordKind): readonly unknown[] {
    const folder = path.join(this.folder, kind);
    if (!fs.existsSync(folder)) return [];
    const names = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.flatMap((name) => this.#read(path.join(folder, name)) ?? []);
  }

  #file(kind: RecordKind, key: string): string {
    return path.join(this.folder, kind, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  }

  #read(file: string): unknown {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8'));
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
      // Not the parser's message: it may quote what is in the file.
      if (!isAbsent) this.onBroken(`${file} cannot be read; it counts as not there`);
      return undefined;
    }
  }
}
