import { type Span, WireError, WireReader } from './wire.js';

/** A google.protobuf.Value. */
export type StructValue = null | number | string | boolean | readonly StructValue[] | Struct;
export type Struct = ReadonlyMap<string, StructValue>;

/** Claims of a token nest a few levels deep; what nests deeper wants to fill the stack. */
const maxDepth = 32;

/** Reads a google.protobuf.Struct. @throws WireError */
export function readStruct(bytes: Buffer, span: Span, depth = 0): Struct {
  if (depth > maxDepth) throw new WireError('a value nests too deep');
  const struct = new Map<string, StructValue>();
  const fields = new WireReader(bytes, span);
  while (fields.next()) {
    if (fields.field !== 1) continue;
    const entry = fields.message();
    let key = '';
    let value: StructValue = null;
    while (entry.next()) {
      if (entry.field === 1) key = entry.text();
      else if (entry.field === 2) value = readValue(bytes, entry, depth + 1);
    }
    struct.set(key, value);
  }
  return struct;
}

function readValue(bytes: Buffer, span: Span, depth: number): StructValue {
  const value = new WireReader(bytes, span);
  let read: StructValue = null;
  while (value.next()) {
    switch (value.field) {
      case 2:
        if (value.end - value.start === 8) read = bytes.readDoubleLE(value.start);
        break;
      case 3:
        read = value.text();
        break;
      case 4:
        read = value.number !== 0;
        break;
      case 5:
        read = readStruct(bytes, value, depth);
        break;
      case 6:
        read = readList(bytes, value, depth);
        break;
    }
  }
  return read;
}

function readList(bytes: Buffer, span: Span, depth: number): readonly StructValue[] {
  if (depth > maxDepth) throw new WireError('a value nests too deep');
  const list: StructValue[] = [];
  const values = new WireReader(bytes, span);
  while (values.next()) if (values.field === 1) list.push(readValue(bytes, values, depth + 1));
  return list;
}

/** As JSON, keys in the order in which they came. */
export function structToJson(value: StructValue): string {
  if (value instanceof Map) {
    const entries = [...(value as Struct)].map(([key, one]) => `${JSON.stringify(key)}:${structToJson(one)}`);
    return `{${entries.join(',')}}`;
  }
  if (Array.isArray(value)) return `[${(value as readonly StructValue[]).map(structToJson).join(',')}]`;
  return JSON.stringify(value);
}
