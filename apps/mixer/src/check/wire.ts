/** Bytes that are no protobuf message. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Wire types of protobuf; groups are long gone. */
const varint = 0;
const fixed64 = 1;
const delimited = 2;
const fixed32 = 5;

/** Where a value of variable length stands in the bytes of the message around it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Walks over the fields of one protobuf message without making objects of them: `next`, then look at `field` and take
 * what is wanted. What is not taken costs nothing. The generated reader makes each map and string of a message, wanted or not.
 */
export class WireReader {
  /** Number of the field. */
  field = 0;
  /** Where its value begins and ends, where it has a length; both 0 where it has none. */
  start = 0;
  end = 0;
  /** Its value, where it is a varint; exact up to 2^53. */
  number = 0;
  #at: number;
  readonly #end: number;

  constructor(
    readonly bytes: Buffer,
    { start, end }: Span = { start: 0, end: bytes.length },
  ) {
    this.#at = start;
    this.#end = end;
  }

  /** @throws WireError */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.start = this.end = this.number = 0;
    switch (tag & 7) {
      case varint:
        this.number = this.#varint();
        break;
      case delimited:
        this.#take(this.#varint());
        break;
      case fixed64:
        this.#take(8);
        break;
      case fixed32:
        this.#take(4);
        break;
      default:
        throw new WireError('a field is of no known wire type');
    }
    return true;
  }

  /** The value as text. */
  text(): string {
    return this.bytes.toString('utf8', this.start, this.end);
  }

  span(): Span {
    return { start: this.start, end: this.end };
  }

  /** The value as a message. */
  message(): WireReader {
    return new WireReader(this.bytes, this);
  }

  #take(length: number): void {
    this.start = this.#at;
    this.end = this.#at += length;
    if (this.end > this.#end) throw new WireError('a field ends behind its message');
  }

  #varint(): number {
    let value = 0;
    for (let shift = 1; this.#at < this.#end && shift <= 2 ** 63; shift *= 128) {
      const byte = this.bytes[this.#at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    throw new WireError('a number does not end');
  }
}

/** Reads the entry of a `map<string, string>` that the reader stands at. */
export function readEntry(reader: WireReader, into: Map<string, string>): void {
  const entry = reader.message();
  let key = '';
  let value = '';
  while (entry.next()) {
    if (entry.field === 1) key = entry.text();
    else if (entry.field === 2) value = entry.text();
  }
  into.set(key, value);
}
