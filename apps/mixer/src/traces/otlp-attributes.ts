import { WireError, type WireReader } from '../check/wire.js';

/** What an attribute's value is; arrays and lists of others become JSON text. */
export type AttributeValue = string | number | boolean;

/** Deeper values are left out: nobody needs them, and who sends them means no good. */
const maxDepth = 4;

/** An opentelemetry.proto.common.v1.KeyValue. @throws WireError */
export function readAttribute(fields: WireReader): [key: string, value: AttributeValue] {
  const [key, value] = readKeyValue(fields, 0);
  return [key, typeof value === 'object' ? JSON.stringify(value) : value];
}

type Any = AttributeValue | readonly Any[] | { readonly [key: string]: Any };

function readKeyValue(fields: WireReader, depth: number): [key: string, value: Any] {
  let key = '';
  let value: Any = '';
  while (fields.next()) {
    if (fields.field === 1) key = fields.text();
    else if (fields.field === 2) value = readAny(fields, depth);
  }
  return [key, value];
}

/** @param around stands at the AnyValue */
function readAny(around: WireReader, depth: number): Any {
  const fields = around.message();
  let value: Any = '';
  while (fields.next()) {
    switch (fields.field) {
      case 1:
        value = fields.text();
        break;
      case 2:
        value = fields.number !== 0;
        break;
      case 3:
        value = fields.number < 2 ** 53 ? fields.number : readSigned(around);
        break;
      case 4:
        value = readDouble(fields);
        break;
      case 5:
        value = depth < maxDepth ? readArray(fields.message(), depth + 1) : '';
        break;
      case 6:
        value = depth < maxDepth ? readList(fields.message(), depth + 1) : '';
        break;
      case 7:
        value = fields.bytes.toString('base64', fields.start, fields.end);
        break;
      default:
    }
  }
  return value;
}

/** The int64 that is all of an AnyValue, where it has more bits than a number: negative ones are as long as can be. */
function readSigned({ bytes, start, end }: WireReader): number {
  let value = 0n;
  // Behind the byte of its tag.
  for (let at = start + 1, shift = 0n; at < end; at++, shift += 7n) value |= BigInt((bytes[at] ?? 0) & 127) << shift;
  return Number(BigInt.asIntN(64, value));
}

function readDouble({ bytes, start, end }: WireReader): number {
  if (end - start !== 8) throw new WireError('a double is no fixed64');
  return bytes.readDoubleLE(start);
}

function readArray(fields: WireReader, depth: number): readonly Any[] {
  const values: Any[] = [];
  while (fields.next()) if (fields.field === 1) values.push(readAny(fields, depth));
  return values;
}

function readList(fields: WireReader, depth: number): Any {
  const entries: [string, Any][] = [];
  while (fields.next()) if (fields.field === 1) entries.push(readKeyValue(fields.message(), depth));
  return Object.fromEntries(entries);
}
