/** Bytes that wait for a window, in the order in which they were written. Refers to them, copies nothing. */
export class SendQueue {
  #pieces: Buffer[] = [];
  /** How much of the first piece is gone. */
  #offset = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      if (piece.length === 0) continue;
      this.#pieces.push(piece);
      this.#size += piece.length;
    }
  }

  /** The next `count` bytes, no more than `size`. */
  take(count: number): Buffer[] {
    const taken: Buffer[] = [];
    let left = count;
    let used = 0;
    for (const piece of this.#pieces) {
      if (left === 0) break;
      const slice = piece.subarray(this.#offset, this.#offset + left);
      taken.push(slice);
      left -= slice.length;
      this.#offset += slice.length;
      if (this.#offset < piece.length) break;
      this.#offset = 0;
      used++;
    }
    this.#pieces.splice(0, used);
    this.#size -= count - left;
    return taken;
  }

  clear(): void {
    this.#pieces = [];
    this.#offset = 0;
    this.#size = 0;
  }
}
