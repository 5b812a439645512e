import { describe, expect, it } from '@jest/globals';
import { frameCopy, frameSlices } from './data-frames.js';

const body = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 251));

describe('frameSlices', () => {
  it.each([16_384, 20_000, 25_000, 50_000, 60_000])('gives the bytes that a copy has, in frames of %d', (size) => {
    const pieces = frameSlices(3, body, size);
    expect(Buffer.concat(pieces).equals(frameCopy(3, [body], body.length, size))).toBe(true);
  });

  it('copies nothing', () => {
    const slices = frameSlices(1, body, 16_384).filter((_, i) => i % 2 === 1);
    expect(slices.map((slice) => [slice.buffer === body.buffer, slice.byteOffset - body.byteOffset])).toEqual([
      [true, 0],
      [true, 16_384],
      [true, 32_768],
      [true, 49_152],
    ]);
  });
});

describe('frameCopy', () => {
  it('joins pieces across frames', () => {
    const pieces = [Buffer.from('abc'), Buffer.alloc(0), Buffer.from('defgh'), Buffer.from('i')];
    expect(frameCopy(7, pieces, 9, 4).toString('latin1')).toBe(
      ['abcd', 'efgh', 'i'].map((t) => `\0\0${String.fromCharCode(t.length)}\0\0\0\0\0\x07${t}`).join(''),
    );
  });
});
