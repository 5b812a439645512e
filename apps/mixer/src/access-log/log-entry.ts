import { messagesTag, rowTag } from '@seine/mixer';
import { type Span, WireReader } from '../check/wire.js';
import { EntryDetails } from './entry-details.js';
import { readNumber, readTime } from './wire-values.js';

/** envoy.data.accesslog.v3.AccessLogType, as far as it matters. */
export const LogType = {
  notSet: 0,
  tcpUpstreamConnected: 1,
  tcpPeriodic: 2,
  tcpConnectionEnd: 3,
  downstreamEnd: 6,
} as const;

const rowTagBytes = Buffer.from(rowTag);
const messagesTagBytes = Buffer.from(messagesTag);

/**
 * An HTTPAccessLogEntry or TCPAccessLogEntry, read straight from its bytes: what is counted at once, all else (`details`) only
 * when it is asked for.
 */
export class LogEntry {
  /** Milliseconds since 1970. */
  startTime = 0;
  /** Milliseconds. */
  duration = 0;
  type: number = LogType.notSet;
  /** The columns, as they came; empty = there are none. */
  row = '';
  /** `2,3`, of a gRPC call. */
  messages = '';
  streamId = '';
  responseCode = 0;
  /** Bytes of the body or of the connection from its start on. */
  receivedBytes = 0;
  sentBytes = 0;
  #common: Span | undefined;
  #request: Span | undefined;
  #response: Span | undefined;
  #details: EntryDetails | undefined;

  /** @throws WireError */
  constructor(
    private readonly bytes: Buffer,
    span: Span,
    readonly isHttp: boolean,
  ) {
    const fields = new WireReader(bytes, span);
    while (fields.next()) {
      if (fields.field === 1) this.#readCommon(fields);
      else if (!isHttp && fields.field === 2) this.#readConnection(fields);
      else if (isHttp && fields.field === 3) this.#readRequest(fields);
      else if (isHttp && fields.field === 4) this.#readResponse(fields);
    }
  }

  /** All else. @throws WireError */
  get details(): EntryDetails {
    return (this.#details ??= new EntryDetails(this.bytes, {
      common: this.#common,
      request: this.#request,
      response: this.#response,
    }));
  }

  #readCommon(reader: WireReader): void {
    this.#common = reader.span();
    const fields = reader.message();
    while (fields.next()) {
      switch (fields.field) {
        case 5:
          this.startTime = readTime(fields);
          break;
        case 22:
          this.#readTag(fields);
          break;
        case 23:
          this.duration = readTime(fields);
          break;
        case 26:
          if (!this.isHttp) this.streamId = fields.text();
          break;
        case 33:
          this.type = fields.number;
          break;
      }
    }
  }

  #readTag(reader: WireReader): void {
    const entry = reader.message();
    let isRow = false;
    let isMessages = false;
    while (entry.next()) {
      if (entry.field === 1) {
        isRow = isText(this.bytes, entry, rowTagBytes);
        isMessages = !isRow && isText(this.bytes, entry, messagesTagBytes);
      } else if (entry.field === 2) {
        if (isRow) this.row = entry.text();
        else if (isMessages) this.messages = entry.text();
      }
    }
  }

  #readRequest(reader: WireReader): void {
    this.#request = reader.span();
    const fields = reader.message();
    while (fields.next()) if (fields.field === 12) this.receivedBytes = fields.number;
  }

  #readResponse(reader: WireReader): void {
    this.#response = reader.span();
    const fields = reader.message();
    while (fields.next()) {
      if (fields.field === 1) this.responseCode = readNumber(fields);
      else if (fields.field === 3) this.sentBytes = fields.number;
    }
  }

  #readConnection(reader: WireReader): void {
    const fields = reader.message();
    while (fields.next()) {
      if (fields.field === 1) this.receivedBytes = fields.number;
      else if (fields.field === 2) this.sentBytes = fields.number;
    }
  }
}

function isText(bytes: Buffer, { start, end }: Span, text: Buffer): boolean {
  return end - start === text.length && bytes.compare(text, 0, text.length, start, end) === 0;
}
