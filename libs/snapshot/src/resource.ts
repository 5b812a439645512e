import { createHash } from 'node:crypto';

/** One xDS resource, encoded. Immutable; shared by every proxy that gets it. */
export interface Resource {
  readonly name: string;
  /** Hash of the content: the same on every replica, for the same content, for ever. */
  readonly version: string;
  /** The encoded message (the value of the Any). */
  readonly bytes: Buffer;
}

/** 64 bits of SHA-256 in hex: enough to tell two versions of one name apart. */
export function contentHash(...parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

/**
 * @param version the content's hash, where the caller has a cheaper way to it (a hash over the hashes of spliced parts)
 */
export function resource(name: string, bytes: Buffer, version = contentHash(bytes)): Resource {
  return Object.freeze({ name, version, bytes });
}
