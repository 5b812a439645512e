import { create, type DescField, type DescMessage, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { isReflectMessage, reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { messageOfUrl } from '@seine/envoy';

/** Whether lists of the source come behind those of the target, or in their place. */
export type Lists = 'append' | 'replace';

/** These are replaced as one (Istio's `merge` package): half a duration is none. */
const atoms: ReadonlySet<string> = new Set(['google.protobuf.Duration']);

function isWrapper(field: DescField): boolean {
  return field.message?.file.name === 'google/protobuf/wrappers';
}

function isZero(value: unknown): boolean {
  return (
    value === false || value === 0 || value === 0n || value === '' || (value instanceof Uint8Array && !value.length)
  );
}

function copy(value: unknown): unknown {
  if (!isReflectMessage(value)) return value;
  const { desc, message } = value;
  return reflect(desc, fromBinary(desc, toBinary(desc, message)));
}

function mergeFields(target: ReflectMessage, source: ReflectMessage, lists: Lists): void {
  for (const field of source.fields) if (source.isSet(field)) mergeField(target, source, field, lists);
}

function mergeField(target: ReflectMessage, source: ReflectMessage, field: DescField, lists: Lists): void {
  if (field.fieldKind === 'list') {
    const list = target.get(field);
    if (lists === 'replace') list.clear();
    for (const item of source.get(field)) list.add(copy(item));
  } else if (field.fieldKind === 'map') {
    const map = target.get(field);
    for (const [key, value] of source.get(field)) map.set(key, copy(value));
  } else if (field.fieldKind === 'message') mergeMessageField(target, source, field, lists);
  else target.set(field, source.get(field));
}

function mergeMessageField(
  target: ReflectMessage,
  source: ReflectMessage,
  field: DescField & { readonly fieldKind: 'message' },
  lists: Lists,
): void {
  const value = source.get(field);
  const there = target.isSet(field) ? target.get(field) : undefined;
  if (!there || atoms.has(field.message.typeName)) target.set(field, copy(value));
  else if (isWrapper(field)) {
    // Go merges the wrapper's field, and a zero in it counts as absent: `false` over `true` stays `true`, as in Istio.
    const [only] = value.fields;
    if (only && !isZero(value.get(only))) target.set(field, copy(value));
  } else {
    mergeFields(there, value, lists);
    target.set(field, there);
  }
}

/**
 * Merges one message into another of its type, as Go's proto.Merge does: what is set in the source wins, messages are
 * merged field by field, lists are joined, and entries of maps replaced. A wrapper's zero does not win.
 */
export function mergeMessage(desc: DescMessage, target: Message, source: Message, lists: Lists = 'append'): void {
  mergeFields(reflect(desc, target), reflect(desc, source), lists);
}

/**
 * Merges what is inside two Anys of one type.
 * @returns a new Any; undefined where the types differ or are not known
 */
export function mergeAny(target: Any, source: Any, lists: Lists = 'append'): Any | undefined {
  const desc = messageOfUrl(target.typeUrl);
  if (!desc || messageOfUrl(source.typeUrl) !== desc) return undefined;
  const merged = fromBinary(desc, target.value);
  mergeMessage(desc, merged, fromBinary(desc, source.value), lists);
  return create(AnySchema, { typeUrl: target.typeUrl, value: toBinary(desc, merged) });
}
