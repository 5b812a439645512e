/** gRPC's length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message"). */

export const prefixBytes = 5;

/** The five bytes before an uncompressed message of this size. */
export function messagePrefix(size: number): Buffer {
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix[0] = 0;
  prefix.writeUInt32BE(size, 1);
  return prefix;
}

/** Why a byte stream cannot be split further; the stream must end with it. */
export type DeframeError = 'compressed' | 'too-large';

/**
 * Splits a byte stream into messages. Holds no more than one message, and refuses one larger than the limit at its
 * prefix. What it holds grows with what has come, not with what a prefix announces or with the number of pieces.
 */
export class Deframer {
  /** An unfinished message with its prefix. */
  #held = Buffer.alloc(0);
  #size = 0;

  constructor(
    private readonly maxMessageBytes: number,
    private readonly onMessage: (message: Buffer) => void,
  ) {}

  /** Bytes of an unfinished message. */
  get pending(): number {
    return this.#size;
  }

  /** @returns what is wrong with the stream, if something is */
  push(data: Buffer): DeframeError | undefined {
    let at = 0;
    while (this.#size > 0 || at < data.length) {
      const isHeld = this.#size > 0;
      if (isHeld) {
        at += this.#hold(data, at, prefixBytes);
        if (this.#size < prefixBytes) return undefined;
      } else if (data.length - at < prefixBytes) {
        this.#hold(data, at, prefixBytes);
        return undefined;
      }
      const [from, offset] = isHeld ? [this.#held, 0] : [data, at];
      if (from[offset] !== 0) return 'compressed';
      const length = from.readUInt32BE(offset + 1);
      if (length > this.maxMessageBytes) return 'too-large';
      const whole = prefixBytes + length;
      if (isHeld || data.length - at < whole) {
        at += this.#hold(data, at, whole);
        if (this.#size < whole) return undefined;
        this.onMessage(this.#release());
      } else {
        this.onMessage(data.subarray(at + prefixBytes, at + whole));
        at += whole;
      }
    }
    return undefined;
  }

  /** Takes bytes until it holds `upTo`. @returns how many it took */
  #hold(data: Buffer, at: number, upTo: number): number {
    const count = Math.min(Math.max(0, upTo - this.#size), data.length - at);
    if (this.#size + count > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(upTo, Math.max(this.#size + count, 2 * this.#held.length)));
      this.#held.copy(grown, 0, 0, this.#size);
      this.#held = grown;
    }
    data.copy(this.#held, this.#size, at, at + count);
    this.#size += count;
    return count;
  }

  #release(): Buffer {
    const message = this.#held.subarray(prefixBytes, this.#size);
    this.#held = Buffer.alloc(0);
    this.#size = 0;
    return message;
  }
}
