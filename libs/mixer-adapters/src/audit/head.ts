import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import type { Digest, Link } from './record.js';

/**
 * Where a log begins and how far it goes, kept beside it: lines that are missing at the end or the beginning leave no trace
 * in the log itself.
 */
export interface Head {
  /** What the file's first record follows. */
  readonly first: Link;
  readonly last: Link;
}

export const headFile = (file: string): string => `${file}.head`;

const sealed = ({ first, last }: Head): string => `head ${first.seq} ${first.hash} ${last.seq} ${last.hash}`;

/** Replaces it as a whole. */
export async function writeHead(file: string, head: Head, digest: Digest, sync: boolean): Promise<void> {
  const next = `${headFile(file)}.next`;
  const handle: FileHandle = await open(next, 'w', 0o640);
  try {
    await handle.writeFile(`${JSON.stringify({ ...head, seal: digest(sealed(head)) })}\n`);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, headFile(file));
}

/** @returns undefined where there is none; text says what is wrong with it */
export async function readHead(file: string, digest: Digest): Promise<Head | string | undefined> {
  let text: string;
  try {
    text = await readFile(headFile(file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const head = parse(text);
  if (!head) return `${headFile(file)} is broken`;
  const { seal, ...rest } = head;
  return digest(sealed(rest)) === seal ? rest : `${headFile(file)} was changed, or the key is another`;
}

function parse(text: string): (Head & { readonly seal: string }) | undefined {
  try {
    const head = JSON.parse(text) as (Partial<Head> & { readonly seal?: unknown }) | null;
    if (!isLink(head?.first) || !isLink(head.last) || typeof head.seal !== 'string') return undefined;
    return { first: head.first, last: head.last, seal: head.seal };
  } catch {
    // Somebody's edit, or half of a file.
    return undefined;
  }
}

function isLink(value: Link | undefined): value is Link {
  return typeof value === 'object' && Number.isInteger(value.seq) && typeof value.hash === 'string';
}
