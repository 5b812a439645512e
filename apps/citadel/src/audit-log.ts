import fs from 'node:fs';
import type { AuditRecord } from '@seine/ca';

/** An append-only file with a line of JSON for each decision. */
export class AuditLog {
  readonly #descriptor: number;

  constructor(file: string) {
    this.#descriptor = fs.openSync(file, 'a', 0o600);
  }

  /** Synchronous: a certificate is not handed out before it is written down. */
  write(record: AuditRecord): void {
    fs.writeSync(this.#descriptor, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
