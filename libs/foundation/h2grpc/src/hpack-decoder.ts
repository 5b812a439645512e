import { ErrorCode, Http2Error } from './frames.js';
import { staticTable } from './hpack-static.js';
import { decodeHuffman } from './huffman.js';

export type Header = readonly [name: string, value: string];

export interface HeaderList {
  readonly headers: readonly Header[];
  /** The list is larger than the limit; what is over it was decoded (the state must go on) and dropped. */
  readonly oversized: boolean;
}

/** An entry counts for more than its text (RFC 7541, 4.1; RFC 9113, 6.5.2). */
const entryOverhead = 32;
/** Of SETTINGS_HEADER_TABLE_SIZE, which this server leaves alone. */
const maxTableBytes = 4096;

function sizeOf([name, value]: Header): number {
  return name.length + value.length + entryOverhead;
}

function malformed(what: string): Http2Error {
  return new Http2Error(ErrorCode.COMPRESSION_ERROR, what);
}

/** Decodes header blocks (RFC 7541). Stateful: every block of a connection must pass here, in order. */
export class HpackDecoder {
  /** The dynamic table, the oldest entry first. */
  #table: Header[] = [];
  #tableBytes = 0;
  #capacity = maxTableBytes;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /**
   * @param maxListBytes most that names, values and 32 bytes for each may come to
   * Throws Http2Error (COMPRESSION_ERROR), after which the connection cannot go on.
   */
  decode(block: Buffer, maxListBytes: number): HeaderList {
    this.#block = block;
    this.#at = 0;
    const headers: Header[] = [];
    let size = 0;
    let begun = false;
    while (this.#at < block.length) {
      const first = block.readUInt8(this.#at);
      if ((first & 0xe0) === 0x20) {
        if (begun) throw malformed('table size update inside a header block');
        this.#resize();
        continue;
      }
      begun = true;
      const header = this.#header(first);
      size += sizeOf(header);
      if (size <= maxListBytes) headers.push(header);
    }
    this.#block = Buffer.alloc(0);
    return { headers, oversized: size > maxListBytes };
  }

  /** One field in one of the four representations (RFC 7541, 6.1 and 6.2). */
  #header(first: number): Header {
    if (first & 0x80) return this.#entry(this.#integer(7));
    const isIndexed = (first & 0x40) !== 0;
    const index = this.#integer(isIndexed ? 6 : 4);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    const header: Header = [name, this.#text()];
    if (isIndexed) this.#insert(header);
    return header;
  }

  #entry(index: number): Header {
    const found =
      index <= staticTable.length
        ? staticTable[index - 1]
        : this.#table[this.#table.length - (index - staticTable.length)];
    if (!found) throw malformed(`no header with index ${index}`);
    return found;
  }

  #insert(header: Header): void {
    this.#table.push(header);
    this.#tableBytes += sizeOf(header);
    this.#evict();
  }

  #resize(): void {
    const capacity = this.#integer(5);
    if (capacity > maxTableBytes) throw malformed(`a table of ${capacity} bytes, more than ${maxTableBytes}`);
    this.#capacity = capacity;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#capacity) {
      const oldest = this.#table.shift();
      if (!oldest) break;
      this.#tableBytes -= sizeOf(oldest);
    }
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw malformed('the header block ends inside a field');
    return byte;
  }

  /** An integer with a prefix of so many bits (RFC 7541, 5.1); none that is needed has more than 28 bits. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed('an integer of more than 28 bits');
  }

  #text(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw malformed('the header block ends inside a string');
    this.#at = end;
    if (!isHuffman) return this.#block.toString('latin1', start, end);
    const text = decodeHuffman(this.#block.subarray(start, end));
    if (text === undefined) throw malformed('wrong Huffman coding');
    return text;
  }
}
