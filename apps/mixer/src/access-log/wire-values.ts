import type { WireReader } from '../check/wire.js';

/** A google.protobuf.Timestamp or Duration, milliseconds. */
export function readTime(reader: WireReader): number {
  const fields = reader.message();
  let seconds = 0;
  let nanos = 0;
  while (fields.next()) {
    if (fields.field === 1) seconds = fields.number;
    else if (fields.field === 2) nanos = fields.number;
  }
  return seconds * 1000 + nanos / 1_000_000;
}

/** A google.protobuf.UInt32Value. */
export function readNumber(reader: WireReader): number {
  const fields = reader.message();
  let value = 0;
  while (fields.next()) if (fields.field === 1) value = fields.number;
  return value;
}
