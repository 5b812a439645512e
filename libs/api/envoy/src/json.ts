import { type DescMessage, fromBinary, type JsonValue, type MessageShape, toJson } from '@bufbuild/protobuf';
import { envoyRegistry, messageOfUrl } from './registry.js';

/** Canonical JSON with Envoy's own snake_case names and every known `Any` opened: the form of Envoy's /config_dump. */
export function toEnvoyJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(schema, message, { registry: envoyRegistry(), useProtoFieldName: true });
}

/** Decodes an encoded resource by its type URL and gives it as JSON (see toEnvoyJson). */
export function resourceToJson(typeUrl: string, bytes: Uint8Array): JsonValue {
  const schema = messageOfUrl(typeUrl);
  if (!schema) throw new Error(`no descriptor for ${typeUrl}`);
  return toEnvoyJson(schema, fromBinary(schema, bytes));
}
