import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { readHead } from './head.js';
import { beginning, type Digest, digestWith, type Link, readRecord, type ReadRecord } from './record.js';

export interface VerifyOptions {
  /** The file of the key that the log was written with. */
  readonly keyFile?: string | undefined;
  /** Where the file before it ended; by default its own head says what it follows, and without a head it must be the first. */
  readonly after?: Link | undefined;
}

export type AuditVerification =
  /** `first` is what the first record follows: number 0 where nothing is before it. */
  | { readonly ok: true; readonly records: number; readonly first: Link; readonly last: Link }
  /** `line` counts from 1; one more than there are lines where lines are missing at the end. */
  | { readonly ok: false; readonly line: number; readonly message: string };

/**
 * Whether an audit log is as it was written: no line edited, taken out, put in or moved.
 * @throws Error where the file cannot be read
 */
export async function verifyAuditLog(file: string, { keyFile, after }: VerifyOptions = {}): Promise<AuditVerification> {
  const digest = digestWith(keyFile === undefined ? undefined : await readFile(keyFile));
  const head = await readHead(file, digest);
  if (typeof head === 'string') return { ok: false, line: 1, message: head };
  const first = after ?? head?.first ?? beginning;
  const found = await verifyLines(file, first, head?.last, digest);
  if (!found.ok || !head) return found;
  if (found.last.seq >= head.last.seq) return found;
  const message = `records ${found.last.seq + 1} to ${head.last.seq} are missing: the log is cut off here`;
  return { ok: false, line: found.records + 1, message };
}

async function verifyLines(
  file: string,
  first: Link,
  known: Link | undefined,
  digest: Digest,
): Promise<AuditVerification> {
  let last = first;
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    line++;
    const record = readRecord(text, digest);
    const wrong = typeof record === 'string' ? record : misplaced(record, last, known);
    if (wrong !== undefined || typeof record === 'string') return { ok: false, line, message: wrong ?? '' };
    last = record.self;
  }
  return { ok: true, records: line, first, last };
}

function misplaced({ self, prev }: ReadRecord, before: Link, known: Link | undefined): string | undefined {
  if (self.seq !== before.seq + 1) return `record ${self.seq} stands where record ${before.seq + 1} should`;
  if (prev !== before.hash) return `record ${self.seq} does not follow the one before it`;
  if (known?.seq === self.seq && known.hash !== self.hash) return `record ${self.seq} is not the one that was written`;
  return undefined;
}

/** The result in a sentence, `audit.log:17: …`. */
export function describeVerification(file: string, result: AuditVerification): string {
  if (!result.ok) return `${file}:${result.line}: ${result.message}`;
  const { records, first, last } = result;
  const before = first.seq > 0 ? `; records up to ${first.seq} are not in this file` : '';
  return `${file}: ${records} records, all as they were written, the last ${last.seq} ${last.hash}${before}`;
}
