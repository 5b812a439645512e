/**
 * Reads protobuf's wire format without building messages. Requests of a thousand proxies name the same thousands of
 * resources again and again; only what the protocol state needs is looked at, and lists of names stay slices.
 */

/** Thrown on bytes that are no protobuf message; ends that stream only. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** A varint and where it ends, in one reused cell: the scanner allocates nothing. */
const cell = { value: 0, end: 0 };

function readVarint(buf: Buffer, at: number): void {
  let value = 0;
  let scale = 1;
  for (let i = at; i < buf.length && i < at + 10; i++) {
    const byte = buf[i] ?? 0;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      cell.value = value;
      cell.end = i + 1;
      return;
    }
  }
  throw new MalformedMessage('truncated varint');
}

/** Called for each length-delimited field: bytes `start` to `end` of the buffer. */
export type FieldVisitor = (field: number, start: number, end: number, fieldStart: number) => void;

/** Walks the fields of a message between two offsets. @throws MalformedMessage */
export function scanFields(buf: Buffer, visit: FieldVisitor, from = 0, to = buf.length): void {
  let at = from;
  while (at < to) {
    const fieldStart = at;
    readVarint(buf, at);
    const field = Math.floor(cell.value / 8);
    const wire = cell.value % 8;
    at = cell.end;
    if (field === 0) throw new MalformedMessage('field number 0');
    if (wire === 2) {
      readVarint(buf, at);
      const start = cell.end;
      at = start + cell.value;
      if (at > to) throw new MalformedMessage(`field ${field} runs over the end`);
      visit(field, start, at, fieldStart);
    } else if (wire === 0) {
      readVarint(buf, at);
      at = cell.end;
    } else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else throw new MalformedMessage(`wire type ${wire}`);
  }
  if (at !== to) throw new MalformedMessage('truncated message');
}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** @returns the offset behind it */
export function writeVarint(buf: Buffer, at: number, value: number): number {
  let rest = value;
  let offset = at;
  while (rest > 127) {
    buf[offset++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  buf[offset++] = rest;
  return offset;
}

/** Size of a length-delimited field with a one-byte tag (field numbers up to 15). */
export function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Tag and length of a length-delimited field. @returns the offset where the value goes */
export function writeFieldHead(buf: Buffer, at: number, field: number, length: number): number {
  buf[at] = field * 8 + 2;
  return writeVarint(buf, at + 1, length);
}

export function writeString(buf: Buffer, at: number, field: number, text: string, length: number): number {
  const start = writeFieldHead(buf, at, field, length);
  buf.write(text, start, length, 'utf8');
  return start + length;
}
