import { Metadata } from '@grpc/grpc-js';

/** Protobuf's wire format, as far as the three small messages below need it. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const lengthDelimited = (field: number, value: Buffer): Buffer =>
  Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
const number = (field: number, value: number): Buffer =>
  value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(field << 3), varint(value)]);

/**
 * Tells a caller when to come back, as gRPC's rich errors do: `google.rpc.Status` with a `google.rpc.RetryInfo` in the
 * trailer `grpc-status-details-bin`, and in seconds in `retry-after` for whoever reads none.
 * @param retryMs milliseconds
 */
export function retryMetadata(code: number, message: string, retryMs: number): Metadata {
  const delay = Buffer.concat([number(1, Math.floor(retryMs / 1000)), number(2, (retryMs % 1000) * 1_000_000)]);
  const info = Buffer.concat([
    lengthDelimited(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    lengthDelimited(2, lengthDelimited(1, delay)),
  ]);
  const whole = Buffer.concat([number(1, code), lengthDelimited(2, Buffer.from(message)), lengthDelimited(3, info)]);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', whole);
  metadata.set('retry-after', String(Math.ceil(retryMs / 1000)));
  return metadata;
}
