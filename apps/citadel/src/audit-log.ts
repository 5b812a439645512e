import fs from 'node:fs';
import readline from 'node:readline';
import type { AuditRecord } from '@seine/ca';

/** An append-only file with a line of JSON for each decision; several citadels may share it. */
export class AuditLog {
  readonly #descriptor: number;

  /** @param onLost is given the records that cannot be written: a full disk must not end the mesh's identities */
  constructor(
    private readonly file: string,
    private readonly onLost: (record: AuditRecord, reason: string) => void,
  ) {
    this.#descriptor = fs.openSync(file, 'a', 0o600);
  }

  /** Synchronous: a certificate is not handed out before it is written down. */
  write(record: AuditRecord): void {
    try {
      fs.writeSync(this.#descriptor, `${JSON.stringify(record)}\n`);
    } catch (error) {
      this.onLost(record, error instanceof Error ? error.message : String(error));
    }
  }

  /** All records, the oldest first; lines that a killed program left half are passed over. */
  async *read(): AsyncGenerator<AuditRecord> {
    for await (const line of readline.createInterface({ input: fs.createReadStream(this.file), crlfDelay: Infinity })) {
      try {
        yield JSON.parse(line) as AuditRecord;
      } catch {
        continue;
      }
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
