import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Head, readHead, writeHead } from './head.js';
import { beginning, type Digest, type Link, readRecord, recordLine } from './record.js';

export type FsyncPolicy = 'ALWAYS' | 'INTERVAL' | 'NEVER';

export interface AuditLogOptions {
  readonly file: string;
  readonly digest: Digest;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

interface Opened {
  readonly handle: FileHandle;
  readonly inode: number;
  size: number;
  readonly first: Link;
}

/** So many records may wait for the disk. */
const maxWaiting = 10_000;
/** Longest line that is looked for at the end of a log. */
const longestLine = 1024 * 1024;

/**
 * An append-only log whose records each carry the hash of the one before. It goes on where it ended, after a restart or when
 * the file was moved away; a file that is not as it was left is put aside, never written over.
 */
export class AuditLog {
  fsync: FsyncPolicy = 'ALWAYS';
  #opened: Opened | undefined;
  #last: Link | undefined;
  #waiting: { readonly members: string; readonly done: () => void; readonly failed: (error: Error) => void }[] = [];
  #working: Promise<void> | undefined;
  /** Records that could not be written since it was last said in the log. */
  #lost = 0;
  /** What the log is to say of itself with its next record. */
  #notes: string[] = [];
  #unsynced = false;

  constructor(private readonly options: AuditLogOptions) {}

  /** @throws Error where the log cannot be written at all */
  async open(): Promise<void> {
    while (this.#working) await this.#working;
    if (this.#opened) return;
    const opening = this.#reopen();
    // Nothing else may touch the file meanwhile.
    this.#working = opening.then(
      () => this.#rest(),
      () => this.#rest(),
    );
    await opening;
  }

  /**
   * Appends a record.
   * @param members `,"name":value` of what it says
   * @returns resolves when it is in the file; with fsync ALWAYS, on the disk
   * @throws Error (rejects) where it is not; how many were lost the log says itself, as soon as it can
   */
  append(members: string): Promise<void> {
    if (this.#waiting.length >= maxWaiting) {
      this.#lost++;
      return Promise.reject(new Error('the audit log cannot be written as fast as records come'));
    }
    return new Promise((done, failed) => {
      this.#waiting.push({ members, done, failed });
      this.#working ??= this.#drain().then(() => this.#rest());
    });
  }

  /** Nobody works; unless something came meanwhile. */
  #rest(): Promise<void> | undefined {
    this.#working = this.#waiting.length > 0 ? this.#drain().then(() => this.#rest()) : undefined;
    return this.#working;
  }

  /** Writes through to the disk what is not there yet. */
  async sync(): Promise<void> {
    if (!this.#unsynced || !this.#opened) return;
    this.#unsynced = false;
    await this.#opened.handle.sync();
  }

  async close(): Promise<void> {
    while (this.#working) await this.#working;
    if (this.fsync !== 'NEVER') await this.sync();
    await this.#opened?.handle.close();
    this.#opened = undefined;
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch.map(({ members }) => members));
        for (const { done } of batch) done();
      } catch (error) {
        this.#lost += batch.length;
        await this.#opened?.handle.close().catch(() => undefined);
        this.#opened = undefined;
        for (const { failed } of batch) failed(error as Error);
      }
    }
  }

  async #write(batch: readonly string[]): Promise<void> {
    const opened = (await this.#unchanged()) ?? (await this.#reopen());
    let last = this.#last ?? beginning;
    let text = '';
    const lost = this.#lost;
    const notes = lost > 0 ? [...this.#notes, `${lost} records before this one were lost`] : this.#notes;
    for (const members of [...notes.map((note) => this.#membersOf(note)), ...batch]) {
      const { line, link } = recordLine(last, members, this.options.digest);
      text += `${line}\n`;
      last = link;
    }
    const bytes = Buffer.from(text);
    await opened.handle.appendFile(bytes);
    if (this.fsync === 'ALWAYS') await opened.handle.sync();
    else this.#unsynced = true;
    opened.size += bytes.length;
    this.#last = last;
    this.#lost -= lost;
    this.#notes = [];
    await writeHead(this.options.file, { first: opened.first, last }, this.options.digest, this.fsync === 'ALWAYS');
  }

  #membersOf(note: string): string {
    return `,"time":${JSON.stringify(new Date(this.options.now()).toISOString())},"note":${JSON.stringify(note)}`;
  }

  /** The file as it is open; undefined where it is another by now, or somebody else has written to it. */
  async #unchanged(): Promise<Opened | undefined> {
    const opened = this.#opened;
    if (!opened) return undefined;
    const there = await stat(this.options.file).catch(() => undefined);
    if (there?.ino === opened.inode && there.size === opened.size) return opened;
    await opened.handle.close();
    this.#opened = undefined;
    return undefined;
  }

  async #reopen(): Promise<Opened> {
    const { file, digest, warn } = this.options;
    await mkdir(path.dirname(file), { recursive: true });
    const head = await readHead(file, digest);
    const tail = await readTail(file);
    const problem = typeof head === 'string' ? head : judgeTail(tail, head, this.#last, digest);
    if (typeof problem === 'string') return this.#putAside(problem, typeof head === 'string' ? undefined : head);
    const handle = await open(file, 'a', 0o640);
    if (tail.torn > 0) {
      // It was being written when mixer or the machine ended: nobody was told that it is there.
      await handle.truncate(tail.size);
      warn(`${file}: the last line was not whole and is taken away`);
    }
    const known = typeof head === 'object' ? head : undefined;
    const last = problem ?? this.#last ?? known?.last ?? beginning;
    const first = tail.size === 0 ? last : (known?.first ?? beginning);
    if (tail.size === 0 && last.seq > 0)
      this.#notes.push(`the records up to ${last.seq} are in a file that was moved away, or were taken away`);
    this.#last = last;
    return (this.#opened = { handle, inode: (await handle.stat()).ino, size: tail.size, first });
  }

  /** Keeps what is wrong for whoever looks into it, and goes on in a new file. */
  async #putAside(problem: string, head: Head | undefined): Promise<Opened> {
    const { file, now, warn } = this.options;
    const aside = `${file}.broken-${new Date(now()).toISOString().replaceAll(':', '-')}`;
    warn(`${file}: ${problem}; it is put aside as ${aside}, and a new one begins`);
    await rename(file, aside).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    const last = this.#last ?? head?.last ?? beginning;
    this.#last = last;
    const handle = await open(file, 'ax', 0o640);
    this.#opened = { handle, inode: (await handle.stat()).ino, size: 0, first: last };
    this.#notes.push(`the log before this one is ${path.basename(aside)}: ${problem}`);
    return this.#opened;
  }
}

interface Tail {
  /** Bytes of whole lines. */
  readonly size: number;
  /** Bytes behind the last whole line. */
  readonly torn: number;
  /** The last whole line; undefined where there is none, or it is longer than any record. */
  readonly line: string | undefined;
}

async function readTail(file: string): Promise<Tail> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { size: 0, torn: 0, line: undefined };
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 2 * longestLine);
    const bytes = Buffer.alloc(length);
    await handle.read(bytes, 0, length, size - length);
    const end = bytes.lastIndexOf(0x0a);
    if (end < 0) return { size: size - length, torn: length, line: undefined };
    const start = bytes.subarray(0, end).lastIndexOf(0x0a) + 1;
    const whole = start > 0 || length === size;
    return {
      size: size - length + end + 1,
      torn: length - end - 1,
      line: whole ? bytes.toString('utf8', start, end) : undefined,
    };
  } finally {
    await handle.close();
  }
}

/**
 * Whether a log can go on at its end.
 * @returns its last record, undefined where it has none; text says why it cannot
 */
function judgeTail(
  tail: Tail,
  head: Head | undefined,
  last: Link | undefined,
  digest: Digest,
): Link | string | undefined {
  // Moved away, with all that it had: the next file follows it.
  if (tail.size === 0 && tail.torn === 0) return undefined;
  const known = last ?? head?.last;
  if (tail.size === 0) return known ? 'its records are gone' : undefined;
  const record = tail.line === undefined ? 'its last line is no record' : readRecord(tail.line, digest);
  if (typeof record === 'string') return `last line: ${record}`;
  if (known && record.self.seq < known.seq)
    return `records ${record.self.seq + 1} to ${known.seq} are missing at its end`;
  if (known?.seq === record.self.seq && known.hash !== record.self.hash)
    return `record ${known.seq} is not the one that was written`;
  return record.self;
}
