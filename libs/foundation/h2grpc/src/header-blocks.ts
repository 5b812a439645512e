import { ErrorCode, Flag, FrameType, Http2Error, unpad } from './frames.js';
import { type HeaderList, HpackDecoder } from './hpack-decoder.js';

/** A whole block of headers with what its first frame said. */
export interface HeadersFrame extends HeaderList {
  readonly streamId: number;
  readonly endStream: boolean;
}

/** Joins HEADERS and its CONTINUATIONs, and decodes them. */
export class HeaderBlocks {
  readonly #decoder = new HpackDecoder();
  #open: { streamId: number; endStream: boolean; fragments: Buffer[]; size: number } | undefined;

  constructor(
    private readonly maxBytes: number,
    private readonly maxFrames: number,
  ) {}

  /** Whether a block is unfinished: only its CONTINUATION may follow (RFC 9113, 6.10). */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Takes a HEADERS or CONTINUATION frame. @returns the block when it is whole. Throws Http2Error. */
  push(type: number, flags: number, streamId: number, payload: Buffer): HeadersFrame | undefined {
    if (type === FrameType.HEADERS) {
      const endStream = (flags & Flag.END_STREAM) !== 0;
      this.#open = { streamId, endStream, fragments: [], size: 0 };
      this.#add(unpad(payload, flags, flags & Flag.PRIORITY ? 5 : 0));
    } else if (this.#open?.streamId === streamId) this.#add(payload);
    else throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'CONTINUATION of no header block');
    return flags & Flag.END_HEADERS ? this.#finish() : undefined;
  }

  #add(fragment: Buffer): void {
    const block = this.#open;
    if (!block) return;
    block.fragments.push(fragment);
    block.size += fragment.length;
    // Refusing it alone is not possible: without decoding it, the state of the compression would be lost.
    if (block.size > this.maxBytes || block.fragments.length > this.maxFrames)
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, 'a header block that is too long');
  }

  #finish(): HeadersFrame | undefined {
    const block = this.#open;
    if (!block) return undefined;
    this.#open = undefined;
    const [first = Buffer.alloc(0), ...more] = block.fragments;
    const coded = more.length === 0 ? first : Buffer.concat(block.fragments);
    const { streamId, endStream } = block;
    return { streamId, endStream, ...this.#decoder.decode(coded, this.maxBytes) };
  }
}
