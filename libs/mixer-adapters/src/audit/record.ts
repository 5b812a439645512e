import { createHash, createHmac } from 'node:crypto';

/** What stands before the first record. */
export const noHash = '0'.repeat(64);

/** A place in the chain: the number of a record, and its hash. */
export interface Link {
  readonly seq: number;
  readonly hash: string;
}

export const beginning: Link = { seq: 0, hash: noHash };

/** SHA-256, or with a key HMAC-SHA-256: then nobody without the key can make a chain anew. */
export type Digest = (text: string) => string;

export function digestWith(key: Buffer | undefined): Digest {
  return key
    ? (text) => createHmac('sha256', key).update(text).digest('hex')
    : (text) => createHash('sha256').update(text).digest('hex');
}

/**
 * A record as a line without its end. The hash is of all that stands before it, which has the hash of the record before.
 * @param members `,"name":value` of what it says
 */
export function recordLine(
  before: Link,
  members: string,
  digest: Digest,
): { readonly line: string; readonly link: Link } {
  const seq = before.seq + 1;
  const body = `{"seq":${seq}${members},"prev":"${before.hash}"`;
  const hash = digest(body);
  return { line: `${body},"hash":"${hash}"}`, link: { seq, hash } };
}

export interface ReadRecord {
  readonly self: Link;
  readonly prev: string;
}

const shape = /^(\{"seq":(\d{1,15})(?:,.*)?,"prev":"([0-9a-f]{64})"),"hash":"([0-9a-f]{64})"\}$/s;

/** A record of a line; text says what is wrong with it. */
export function readRecord(line: string, digest: Digest): ReadRecord | string {
  const [, body, seq, prev, hash] = shape.exec(line) ?? [];
  if (body === undefined || seq === undefined || prev === undefined || hash === undefined)
    return 'this is no record of an audit log';
  if (digest(body) !== hash) return 'the record is not what it was when it was written, or the key is another';
  return { self: { seq: Number(seq), hash }, prev };
}
