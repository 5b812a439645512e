import { clientPreface, ErrorCode, frameHeaderBytes, Http2Error } from './frames.js';

export type FrameHandler = (type: number, flags: number, streamId: number, payload: Buffer) => void;

/** Splits what a client sends into its preface and frames. Holds at most one unfinished frame. */
export class FrameReader {
  #prefaceSeen = 0;
  /** A frame that spans chunks: its header, then a buffer of its exact size, filled as bytes come. */
  readonly #header = Buffer.alloc(frameHeaderBytes);
  #headerFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  #stopped = false;

  constructor(
    private readonly maxFrameSize: number,
    private readonly onFrame: FrameHandler,
  ) {}

  /** Throws Http2Error for a wrong preface and for a frame over the limit. */
  push(chunk: Buffer): void {
    let at = this.#prefaceSeen < clientPreface.length ? this.#preface(chunk) : 0;
    if (this.#headerFilled > 0) at = this.#resume(chunk, at);
    while (at < chunk.length) {
      const start = at + frameHeaderBytes;
      const end = start <= chunk.length ? start + this.#length(chunk, at) : Infinity;
      if (end > chunk.length) {
        this.#resume(chunk, at);
        return;
      }
      at = end;
      this.#emit(chunk, start - frameHeaderBytes, chunk.subarray(start, end));
    }
  }

  /** Nothing more is handed on, not even what the current chunk still holds. */
  stop(): void {
    this.#stopped = true;
  }

  #preface(chunk: Buffer): number {
    const count = Math.min(chunk.length, clientPreface.length - this.#prefaceSeen);
    if (clientPreface.compare(chunk, 0, count, this.#prefaceSeen, this.#prefaceSeen + count) !== 0)
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'not an HTTP/2 connection preface');
    this.#prefaceSeen += count;
    return count;
  }

  #length(from: Buffer, at: number): number {
    const length = from.readUIntBE(at, 3);
    if (length > this.maxFrameSize)
      throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `a frame of ${length} bytes, more than ${this.maxFrameSize}`);
    return length;
  }

  #emit(header: Buffer, at: number, payload: Buffer): void {
    if (this.#stopped) return;
    const streamId = header.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.onFrame(header.readUInt8(at + 3), header.readUInt8(at + 4), streamId, payload);
  }

  /** Begins or goes on with the frame that spans chunks. @returns where the chunk goes on after it */
  #resume(chunk: Buffer, start: number): number {
    let at = start + chunk.copy(this.#header, this.#headerFilled, start);
    this.#headerFilled += at - start;
    if (this.#headerFilled < frameHeaderBytes) return at;
    this.#payload ??= Buffer.allocUnsafeSlow(this.#length(this.#header, 0));
    const filled = chunk.copy(this.#payload, this.#payloadFilled, at);
    this.#payloadFilled += filled;
    at += filled;
    if (this.#payloadFilled < this.#payload.length) return at;
    const payload = this.#payload;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    this.#headerFilled = 0;
    this.#emit(this.#header, 0, payload);
    return at;
  }
}
