/** Huffman-coded strings of HPACK (RFC 7541, 5.2 and Appendix B). */

const endOfString = 256;

/**
 * Length in bits of each symbol's code; the code is canonical, so that the lengths say all (RFC 7541, Appendix B).
 * The last one is the end of string.
 */
const codeLengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

/** A node of the code's tree is a pair of children: positive = another node, negative = a symbol. */
const tree = growTree();

function growTree(): Int16Array {
  const nodes = new Int16Array(2 * codeLengths.length);
  let used = 1;
  let code = 0;
  let width = 0;
  const symbols = codeLengths.map((length, symbol) => ({ length, symbol }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - width);
    width = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const slot = 2 * node + (Math.floor(code / 2 ** bit) % 2);
      nodes[slot] ||= used++;
      node = nodes[slot] ?? 0;
    }
    nodes[2 * node + (code % 2)] = -1 - symbol;
    code++;
  }
  return nodes;
}

/** @returns the text, one character a byte, or undefined when the coding is wrong */
export function decodeHuffman(coded: Buffer): string | undefined {
  // The shortest code has five bits.
  const out = Buffer.allocUnsafe(Math.floor((coded.length * 8) / 5));
  let size = 0;
  let node = 0;
  let depth = 0;
  let ones = true;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >> shift) & 1;
      const next = tree[2 * node + bit] ?? 0;
      depth++;
      ones &&= bit === 1;
      if (next > 0) {
        node = next;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === endOfString) return undefined;
      out[size++] = symbol;
      node = 0;
      depth = 0;
      ones = true;
    }
  }
  // What is left must be padding: the beginning of the end of string, shorter than a byte.
  return depth < 8 && ones ? out.toString('latin1', 0, size) : undefined;
}
