import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';

export interface RotatingLogOptions {
  readonly file: string;
  /** A file that has become this large is renamed to `<file>.1`, in place of the one there. */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 5 * 1024 * 1024;

/** A log file that takes at most twice `maxBytes` of disk. Writing never fails: what the disk refuses is dropped. */
export class RotatingLog extends Writable {
  readonly file: string;
  readonly #maxBytes: number;
  #handle: FileHandle | undefined;
  #bytes = 0;
  #tail = '';

  constructor({ file, maxBytes = defaultMaxBytes }: RotatingLogOptions) {
    super({ decodeStrings: true });
    this.file = file;
    this.#maxBytes = maxBytes;
  }

  /** The last lines written, for an error message. */
  tail(lines: number): string[] {
    return this.#tail.trimEnd().split('\n').slice(-lines);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#tail = (this.#tail + chunk.toString('utf8')).slice(-4096);
    this.#append(chunk)
      // A full disk must not end the program whose log this is; its last lines are kept above.
      .catch(() => undefined)
      .finally(() => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    Promise.resolve(this.#handle?.close())
      // Nothing is left to be written; how closing went changes nothing.
      .catch(() => undefined)
      .finally(() => done());
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#handle && this.#bytes + chunk.length > this.#maxBytes) {
      await this.#handle.close();
      this.#handle = undefined;
      await rename(this.file, `${this.file}.1`);
    }
    this.#handle ??= await this.#open();
    await this.#handle.write(chunk);
    this.#bytes += chunk.length;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(path.dirname(this.file), { recursive: true });
    const handle = await open(this.file, 'a', 0o600);
    this.#bytes = (await handle.stat()).size;
    return handle;
  }
}
