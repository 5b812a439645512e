import { FrameType, frameHeaderBytes, writeFrameHeader } from './frames.js';

/** Copies pieces into DATA frames that stand one behind the other. @param size of the pieces together, bytes */
export function frameCopy(streamId: number, pieces: readonly Buffer[], size: number, frameSize: number): Buffer {
  const frames = Math.ceil(size / frameSize);
  const out = Buffer.allocUnsafe(size + frames * frameHeaderBytes);
  let left = size;
  let room = 0;
  let at = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      if (room === 0) {
        room = Math.min(frameSize, left);
        at = writeFrameHeader(out, at, room, FrameType.DATA, 0, streamId);
      }
      const count = piece.copy(out, at, from, Math.min(piece.length, from + room));
      from += count;
      at += count;
      room -= count;
      left -= count;
    }
  }
  return out;
}

/** DATA frames of a body that many streams share, without copying it: headers and slices by turns. */
export function frameSlices(streamId: number, body: Buffer, frameSize: number): Buffer[] {
  const header = (length: number) => {
    const bytes = Buffer.allocUnsafe(frameHeaderBytes);
    writeFrameHeader(bytes, 0, length, FrameType.DATA, 0, streamId);
    return bytes;
  };
  const out: Buffer[] = [];
  const full = header(frameSize);
  for (let from = 0; from < body.length; from += frameSize) {
    const slice = body.subarray(from, from + frameSize);
    out.push(slice.length === frameSize ? full : header(slice.length), slice);
  }
  return out;
}
