import type { AttributeBag } from '@seine/mixer';
import { EntryAttributes } from './entry-attributes.js';
import type { EndAttributes } from './end-attributes.js';
import type { LogEntry } from './log-entry.js';
import type { Row } from './log-rows.js';
import type { LogEnds, LogRecord } from './log-sink.js';

/** What is the same for all entries of a stream. */
export interface LogStream {
  /** `namespace/name` of the workload that reports, where its node says so. */
  readonly workload: string | undefined;
  /** What its certificate proves; undefined on plain text. */
  readonly identity: string | undefined;
  /** Of its Envoy, `1.40.0`; empty = not known. */
  readonly proxyVersion: string;
  readonly ends: EndAttributes;
}

/** Bytes since the last entry about the same connection; of a request all. */
export interface EntryBytes {
  readonly received: number;
  readonly sent: number;
}

/** A log entry as those see it who take records. */
export class EntryRecord implements LogRecord {
  #attributes: AttributeBag | undefined;

  constructor(
    readonly entry: LogEntry,
    readonly row: Row,
    readonly event: LogRecord['event'],
    private readonly bytes: EntryBytes,
    readonly stream: LogStream,
  ) {}

  get protocol(): LogRecord['protocol'] {
    return this.row.said.protocol;
  }
  get ends(): LogEnds {
    return this.row.ends;
  }
  get startTime(): number {
    return this.entry.startTime;
  }
  get duration(): number {
    return this.entry.duration;
  }
  get receivedBytes(): number {
    return this.bytes.received;
  }
  get sentBytes(): number {
    return this.bytes.sent;
  }
  get responseCode(): number {
    return this.entry.responseCode;
  }
  get grpcStatus(): number | undefined {
    return this.row.said.grpcStatus;
  }
  get responseFlags(): string {
    return this.row.said.responseFlags ?? this.entry.details.responseFlags;
  }
  get method(): string {
    return this.entry.details.method;
  }
  get path(): string {
    const { originalPath, path } = this.entry.details;
    return originalPath === '' ? path : originalPath;
  }
  get authority(): string {
    return this.entry.details.authority;
  }
  get requestId(): string {
    return this.entry.details.requestId;
  }
  get traceParent(): string {
    return this.entry.details.requestHeaders.get('traceparent') ?? '';
  }
  get attributes(): AttributeBag {
    return (this.#attributes ??= new EntryAttributes(this));
  }
}
