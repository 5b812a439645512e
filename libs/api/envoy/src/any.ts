import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { type Any, AnySchema, anyPack } from '@bufbuild/protobuf/wkt';

/**
 * Packs a message into google.protobuf.Any, as Envoy's `typed_config` fields want it.
 * @param schema the message's descriptor
 * @param init the message, or a plain object to make it from
 */
export function toAny<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

/** An empty message of a type we hold no descriptor for, by its full name. */
export function emptyAny(typeName: string): Any {
  return create(AnySchema, { typeUrl: `type.googleapis.com/${typeName}`, value: new Uint8Array() });
}
