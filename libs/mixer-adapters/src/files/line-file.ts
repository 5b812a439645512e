import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

export interface Rotation {
  /** A file that would grow beyond it is put aside. */
  readonly maxBytes: number;
  /** What was put aside longer ago is deleted; 0 = never. */
  readonly maxAgeMs: number;
  /** Of more files put aside the oldest are deleted; 0 = any number. */
  readonly maxFiles: number;
}

export interface LineFileOptions {
  readonly file: string;
  readonly rotation?: Rotation | undefined;
  readonly now: () => number;
  /** Told once for a row of failures. */
  readonly onProblem: (message: string) => void;
}

/** What waits for a slow or full disk; beyond it lines are dropped, and counted. */
const maxWaiting = 16 * 1024 * 1024;

const largestWrite = 1024 * 1024;

/** A file that lines are appended to, one write at a time. A disk that fails costs lines, never mixer. */
export class LineFile {
  /** Lines that were lost. */
  dropped = 0;
  #options: LineFileOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #handle: FileHandle | undefined;
  #size = 0;
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(options: LineFileOptions) {
    this.#options = options;
  }

  /** How it is rotated from now on. */
  set rotation(rotation: Rotation | undefined) {
    this.#options = { ...this.#options, rotation };
  }

  /** @param text whole lines */
  write(text: string): void {
    if (this.#waitingBytes + text.length > maxWaiting) {
      this.#lose(text, 'the disk is too slow');
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined));
  }

  /** Resolves when all that was written until now is in the file, or lost. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #drain(): Promise<void> {
    // What comes in the same turn goes in one write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const text = this.#next();
      try {
        await this.#append(Buffer.from(text));
        this.#failing = false;
      } catch (error) {
        this.#lose(text, (error as Error).message);
        await this.#handle?.close().catch(() => undefined);
        this.#handle = undefined;
      }
    }
  }

  /** What goes in one write: several texts, as long as they are short. */
  #next(): string {
    let count = 0;
    let length = 0;
    for (const text of this.#waiting) {
      if (count > 0 && length + text.length > largestWrite) break;
      count++;
      length += text.length;
    }
    this.#waitingBytes -= length;
    return this.#waiting.splice(0, count).join('');
  }

  async #append(bytes: Buffer): Promise<void> {
    const { file, rotation } = this.#options;
    this.#handle ??= await this.#open();
    if (rotation && this.#size > 0 && this.#size + bytes.length > rotation.maxBytes) {
      await this.#handle.close();
      this.#handle = undefined;
      await rename(file, await this.#freeName());
      this.#handle = await this.#open();
      await this.#deleteOld(rotation);
    }
    await this.#handle.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #open(): Promise<FileHandle> {
    const { file } = this.#options;
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, 'a', 0o640);
    this.#size = (await handle.stat()).size;
    return handle;
  }

  /** `access-2024-01-02T03-04-05.678.log`, with a number where there is one already. */
  async #freeName(): Promise<string> {
    const { file, now } = this.#options;
    const { dir, name, ext } = path.parse(file);
    const stamp = new Date(now()).toISOString().replaceAll(':', '-').replace('Z', '');
    const taken = new Set(await readdir(dir === '' ? '.' : dir));
    let free = `${name}-${stamp}${ext}`;
    for (let i = 1; taken.has(free); i++) free = `${name}-${stamp}-${i}${ext}`;
    return path.join(dir, free);
  }

  async #deleteOld({ maxAgeMs, maxFiles }: Rotation): Promise<void> {
    const { file, now } = this.#options;
    const aside = await filesAside(file);
    const oldest = maxAgeMs > 0 ? now() - maxAgeMs : -Infinity;
    const gone = aside.filter(({ time }, i) => time < oldest || (maxFiles > 0 && i < aside.length - maxFiles));
    for (const { file: old } of gone) await unlink(old).catch(() => undefined);
  }

  #lose(text: string, reason: string): void {
    this.dropped += text.split('\n').length - 1;
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onProblem(`cannot write ${this.#options.file}: ${reason}; lines are dropped until it works again`);
  }
}

const stamped = /^-(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3})(?:-(\d+))?$/;

/** The files that were put aside, oldest first. */
async function filesAside(file: string): Promise<readonly { readonly file: string; readonly time: number }[]> {
  const { dir, name, ext } = path.parse(file);
  const found = [];
  for (const entry of await readdir(dir === '' ? '.' : dir)) {
    if (!entry.startsWith(name) || !entry.endsWith(ext)) continue;
    const [, day, hour, minute, second, number = '0'] =
      stamped.exec(entry.slice(name.length, entry.length - ext.length)) ?? [];
    if (day !== undefined)
      found.push({
        file: path.join(dir, entry),
        time: Date.parse(`${day}${hour}:${minute}:${second}Z`),
        number: Number(number),
      });
  }
  return found.sort((a, b) => a.time - b.time || a.number - b.number);
}
