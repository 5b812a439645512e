import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** The content of a file, with the number that it gets anew at each change. */
export interface Version<T> {
  readonly revision: number;
  readonly value: T;
}

const attempts = 20;
/** A write takes milliseconds; what is older was left by a program that was killed. */
const abandonedMs = 60_000;

/**
 * A JSON document that several programs on one directory change, without locks, so that a killed one blocks nobody:
 * `NAME.REVISION.json` is made whole beside it and then linked to its name, which fails where another was first. The
 * highest revision counts. Mode 0600, on disk before it counts.
 */
export class VersionedFile<T> {
  readonly #form: RegExp;

  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {
    this.#form = new RegExp(`^${name}\\.(\\d+)\\.json$`);
  }

  /** The newest content; undefined before the first. @throws Error when it cannot be read */
  read(): Version<T> | undefined {
    for (let attempt = 0; ; attempt++) {
      const revision = this.revision();
      if (revision === 0) return undefined;
      try {
        return { revision, value: JSON.parse(fs.readFileSync(this.#file(revision), 'utf8')) as T };
      } catch (error) {
        // Another program has made a newer one, and has removed this one, in between.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt >= attempts) throw error;
      }
    }
  }

  /** The newest revision; 0 before the first. */
  revision(): number {
    return Math.max(0, ...this.#revisions());
  }

  /**
   * Makes the next content out of the present one. It is made again from what another program wrote meanwhile.
   * @param change returns undefined to leave all as it is
   * @throws Error when it cannot be written; then nothing has changed
   */
  update(change: (now: T | undefined) => T | undefined): Version<T> | undefined {
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    for (let attempt = 0; attempt < attempts; attempt++) {
      const now = this.read();
      const value = change(now?.value);
      if (value === undefined) return now;
      const revision = (now?.revision ?? 0) + 1;
      if (this.#write(revision, value)) {
        this.#tidy(revision);
        return { revision, value };
      }
    }
    throw new Error(`${path.join(this.folder, this.name)} is changed by others all the time`);
  }

  #write(revision: number, value: T): boolean {
    const file = this.#file(revision);
    const mine = path.join(this.folder, `.${this.name}-${randomBytes(8).toString('hex')}.tmp`);
    try {
      writeDurably(mine, `${JSON.stringify(value, null, 2)}\n`);
      fs.linkSync(mine, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      fs.rmSync(mine, { force: true });
    }
    // The name was free because it had been removed, with newer ones after it: then this one was never the newest.
    if (this.revision() > revision) {
      fs.rmSync(file, { force: true });
      return false;
    }
    return true;
  }

  #tidy(newest: number): void {
    for (const revision of this.#revisions()) if (revision < newest) fs.rmSync(this.#file(revision), { force: true });
    for (const name of fs.readdirSync(this.folder)) {
      if (!name.startsWith(`.${this.name}-`)) continue;
      const file = path.join(this.folder, name);
      const made = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
      if (Date.now() - made > abandonedMs) fs.rmSync(file, { force: true });
    }
  }

  #revisions(): readonly number[] {
    try {
      return fs.readdirSync(this.folder).flatMap((name) => Number(this.#form.exec(name)?.[1] ?? []));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #file(revision: number): string {
    return path.join(this.folder, `${this.name}.${revision}.json`);
  }
}

/** Whole and on disk, for the owner only. */
function writeDurably(file: string, text: string): void {
  const descriptor = fs.openSync(file, 'wx', 0o600);
  try {
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Replaces a file that others may read at any time, whole or not at all. */
export function replaceFile(file: string, text: string, mode: number): void {
  const mine = `${file}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    fs.writeFileSync(mine, text, { mode, flag: 'wx' });
    fs.renameSync(mine, file);
  } finally {
    fs.rmSync(mine, { force: true });
  }
}
