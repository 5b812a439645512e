import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';

/**
 * The one place where an Envoy message becomes bytes. Fields go out in field-number order and maps in insertion
 * order, so equal input gives equal bytes on every replica; resource versions are hashes of these bytes.
 */
export function encodeResource<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  const bytes = toBinary(schema, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
