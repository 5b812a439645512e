import { type DescMessage, fromJson, type JsonObject, type JsonValue, type Message } from '@bufbuild/protobuf';
import { envoyRegistry, isForeignType, messageOfUrl, newerTypes, typeNameOf } from '@seine/envoy';

type Fields = Readonly<Record<string, unknown>>;

const opaqueTypes: ReadonlySet<string> = new Set(['udpa.type.v1.TypedStruct', 'xds.type.v3.TypedStruct']);
const typedStruct = 'type.googleapis.com/xds.type.v3.TypedStruct';

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutType(json: Fields): Fields {
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== '@type'));
}

/** A TypedStruct as the message that it stands for, if that loses nothing of it. */
function opened(json: Fields): Fields | undefined {
  const { type_url: snake, typeUrl = snake, value = {} } = json;
  const desc = typeof typeUrl === 'string' ? messageOfUrl(typeUrl) : undefined;
  if (!desc || !isFields(value)) return undefined;
  const typed = prepared(value) as JsonObject;
  try {
    fromJson(desc, typed, { registry: envoyRegistry() });
  } catch {
    // What our descriptors do not know, Envoy may: it goes there as it was written.
    return undefined;
  }
  return { '@type': typeUrl, ...typed };
}

/**
 * The JSON of a message with every config in it in a type that can be read: opaque ones are opened, so that other patches
 * can be merged into them; those that only Envoy knows are made opaque.
 */
function prepared(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(prepared);
  if (!isFields(json)) return json;
  const typeUrl = json['@type'];
  if (typeof typeUrl === 'string') {
    const name = typeNameOf(typeUrl);
    if (opaqueTypes.has(name)) return opened(json) ?? json;
    if (newerTypes.has(name)) return { '@type': typedStruct, type_url: typeUrl, value: withoutType(json) };
  }
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, prepared(value)]));
}

/** Whether a type in it is one that plain Envoy does not have: it would refuse all that the patch touches. */
function hasForeignType(json: unknown): boolean {
  if (Array.isArray(json)) return json.some(hasForeignType);
  if (!isFields(json)) return false;
  const { '@type': typeUrl, type_url: inner } = json;
  const isForeign = [typeUrl, inner].some((url) => typeof url === 'string' && isForeignType(typeNameOf(url)));
  return isForeign || Object.values(json).some(hasForeignType);
}

/**
 * Reads the value of a patch. Fields that do not exist are left out, as in Istio.
 * @returns undefined where plain Envoy has no such thing, or the value cannot be read at all
 */
export function readPatchValue(desc: DescMessage, value: unknown): Message | undefined {
  try {
    if (hasForeignType(value)) return undefined;
    return fromJson(desc, prepared(value) as JsonValue, { registry: envoyRegistry(), ignoreUnknownFields: true });
  } catch {
    // Validation has told the user; an object that comes past it must not stop the others.
    return undefined;
  }
}
